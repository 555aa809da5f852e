// Checks skaffold.yaml, plain and with each profile: node scripts/check-skaffold.mjs
// Fails where a patch matches nothing, where a service of the chart is not built, synchronized and deployed, and, where
// Skaffold's JSON schema is available (SKAFFOLD_SCHEMA, or ../shared/schemas), where the result violates it. Needs helm.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

const schema = process.env.SKAFFOLD_SCHEMA ?? '../shared/schemas/skaffold-v4beta13.json';
const config = parse(readFileSync('skaffold.yaml', 'utf8'));
const services = Object.keys(parse(readFileSync('helm/tasklane/values.yaml', 'utf8')).services);

const isMap = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

function overlay(below, above) {
  if (!isMap(below) || !isMap(above)) return above;
  const merged = Object.entries(above).map(([key, value]) => [key, overlay(below[key], value)]);
  return { ...below, ...Object.fromEntries(merged) };
}

/** The configuration with a profile's patches applied. */
function activate({ name, patches = [], build, deploy, manifests, portForward, verify }) {
  const plain = { ...structuredClone(config), profiles: [] };
  const sections = Object.entries({ build, deploy, manifests, portForward, verify }).filter(([, section]) => section);
  const result = overlay(plain, Object.fromEntries(sections));
  for (const { op, path, value } of patches) {
    const keys = path.split('/').slice(1);
    const last = keys.pop();
    const parent = keys.reduce((found, key) => found?.[key], result);
    assert.ok(parent, `profile ${name}: there is no ${path}`);
    if (op !== 'add') assert.ok(last in parent, `profile ${name}: there is no ${path}`);
    if (op === 'remove') delete parent[last];
    else if (last === '-') parent.push(value);
    else parent[last] = value;
  }
  return result;
}

/** Helm validates values by a chart's schema: here the values are Skaffold's configuration. */
function fits(what, configuration) {
  if (!existsSync(schema)) return;
  const folder = mkdtempSync(join(tmpdir(), 'tasklane-skaffold-'));
  const { $schema: _, ...rules } = JSON.parse(readFileSync(schema, 'utf8'));
  writeFileSync(join(folder, 'Chart.yaml'), stringify({ apiVersion: 'v2', name: 'skaffold', version: '0.0.0' }));
  writeFileSync(join(folder, 'values.yaml'), stringify(configuration));
  writeFileSync(join(folder, 'values.schema.json'), JSON.stringify(rules));
  const { status, stderr } = spawnSync('helm', ['template', 'skaffold', folder], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  assert.equal(status, 0, `${what} does not fit ${schema}:\n${stderr}`);
}

const profiles = Object.fromEntries(config.profiles.map((profile) => [profile.name, activate(profile)]));
for (const [name, configuration] of Object.entries(profiles)) fits(`profile ${name}`, configuration);
fits('skaffold.yaml', config);

const images = services.map((name) => `ghcr.io/tasklane/${name}`);
const { artifacts } = config.build;
assert.deepEqual(artifacts.map(({ image }) => image).sort(), images.sort(), 'skaffold.yaml builds the services');
const [{ setValueTemplates }] = config.deploy.helm.releases;
for (const name of services) {
  for (const key of ['repository', 'tag']) {
    const template = `{{.IMAGE_${key.replace('repository', 'repo').toUpperCase()}_ghcr_io_tasklane_${name.replaceAll('-', '_')}}}`;
    assert.equal(setValueTemplates[`services.${name}.image.${key}`], template, `${key} of the image of ${name}`);
  }
}
for (const { image, docker, sync } of profiles.dev.build.artifacts) {
  assert.equal(docker.target, 'dev', `skaffold dev builds the target dev of ${image}`);
  assert.ok(sync, `skaffold dev synchronizes ${image}`);
}
const verified = config.verify.map(({ container }) => container.image);
const built = profiles.e2e.build.artifacts.map(({ image }) => image);
for (const image of verified) assert.ok(built.includes(image), `profile e2e builds ${image}`);
console.log(`skaffold.yaml builds, synchronizes and deploys ${services.length} services`);
