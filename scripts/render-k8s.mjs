// Renders k8s/base from the chart, one file a resource:  node scripts/render-k8s.mjs
// With --check it changes nothing: it fails where k8s/base differs from what the chart renders, and where kubectl's rendering of
// k8s/base differs from the chart's output. Needs helm and kubectl (for `kubectl kustomize`; no cluster).
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';

const base = 'k8s/base';
// Rendered for the oldest version of Kubernetes that is still supported upstream.
const kubernetes = ['--kube-version', '1.34.0'];
const header = '# Rendered from helm/tasklane by scripts/render-k8s.mjs with k8s/values.yaml; change those.\n';
const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });

const rendered = run(
  'helm',
  'template',
  'tasklane',
  'helm/tasklane',
  '--values',
  'k8s/values.yaml',
  '--no-hooks',
  ...kubernetes,
);
const files = new Map();
for (const document of rendered.split(/^---$/m)) {
  const resource = parse(document);
  if (!resource) continue;
  const name = `${resource.metadata.name}.${resource.kind.toLowerCase()}.yaml`;
  files.set(name, header + document.replace(/^# Source: .*\n/m, '').trim() + '\n');
}
const names = [...files.keys()].sort();
const list = names.map((name) => `  - ${name}\n`).join('');
files.set(
  'kustomization.yaml',
  `${header}apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n${list}`,
);

if (process.argv.includes('--check')) check();
else write();

function write() {
  rmSync(base, { recursive: true, force: true });
  mkdirSync(base, { recursive: true });
  for (const [name, text] of files) writeFileSync(join(base, name), text);
  console.log(`${names.length} resources in ${base}`);
}

function check() {
  const there = existsSync(base) ? readdirSync(base) : [];
  const stale = [...new Set([...files.keys(), ...there])].filter(
    (name) => !there.includes(name) || readFileSync(join(base, name), 'utf8') !== files.get(name),
  );
  // kubectl renders both, so that only their contents can differ.
  const scratch = mkdtempSync(join(tmpdir(), 'tasklane-k8s-'));
  writeFileSync(join(scratch, 'all.yaml'), rendered);
  writeFileSync(join(scratch, 'kustomization.yaml'), 'resources: [all.yaml]\n');
  const same = run('kubectl', 'kustomize', base) === run('kubectl', 'kustomize', scratch);
  rmSync(scratch, { recursive: true });
  if (stale.length > 0) console.error(`stale, run scripts/render-k8s.mjs: ${stale.join(', ')}`);
  if (!same) console.error('kubectl kustomize k8s/base differs from helm template');
  if (stale.length > 0 || !same) process.exit(1);
  console.log(`helm and kustomize render the same ${names.length} resources`);
}
