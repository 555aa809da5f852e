// What the parts of check-chart.mjs share.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

export const chart = 'helm/tasklane';
export const variants = readdirSync(`${chart}/ci`).map((file) => `${chart}/ci/${file}`);
export const counts = { passed: 0, failed: 0 };

export function run(command, args, input) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', input, maxBuffer: 1 << 26 });
  return { missing: error?.code === 'ENOENT', ok: status === 0, stdout, output: `${stdout}${stderr}` };
}

export function report(what, ok, output) {
  counts[ok ? 'passed' : 'failed']++;
  console.log(`${ok ? 'ok ' : 'BAD'} ${what}`);
  if (!ok) console.log(String(output).trim().replace(/^/gm, '      '));
}

/** The resources in what helm prints, and what is wrong with its YAML: a key that is there twice, for example. */
export function read(text) {
  const documents = parseAllDocuments(text);
  return {
    resources: documents.map((document) => document.toJS()).filter(Boolean),
    faults: documents.flatMap(({ errors }) => errors.map(({ message }) => message)),
  };
}

export const kubernetes = ['--kube-version', '1.34.0'];
/** Nothing that is rendered here is installed, so passwords may be made where none can be read back. */
export const generated = ['--set', 'secrets.generate=always'];
export const template = (...args) => run('helm', ['template', 'tasklane', chart, ...kubernetes, ...generated, ...args]);
export const resourcesOf = (...args) => read(template(...args).stdout).resources;
export const podOf = ({ spec }) => (spec.jobTemplate?.spec ?? spec).template.spec;
