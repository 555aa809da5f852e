import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .trim()
  .split('\n');
const read = (path: string) => readFileSync(path, 'utf8');
const source = files
  .filter((path) => /\.(ts|mjs|tpl|ya?ml|json|sh)$|Dockerfile$/.test(path) && path !== 'package-lock.json')
  .map(read)
  .join('\n');

type Values = { [key: string]: Values } | null;
const values = parse(read('helm/tasklane/values.yaml')) as {
  [key: string]: Values;
  defaults: Values;
  services: Values;
};

/** Whether `path` (services.users.config.X) is a value of the chart. What is below an empty map is anybody's. */
function isValue(path: string): boolean {
  const [first, , ...rest] = path.split('.');
  const isService = first === 'services' && rest.length > 0;
  let value: Values | undefined = isService ? values.defaults : values;
  for (const key of isService ? rest : path.split('.')) {
    if (value === null || typeof value !== 'object' || Object.keys(value).length === 0) return true;
    value = value[key];
    if (value === undefined) return false;
  }
  return true;
}

/** As GitHub makes them of headings. */
const anchorsOf = (text: string) =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

// Results and changes name what was there at their time.
const documents = files.filter((path) => path.endsWith('.md') && !/^bench\/results|^CHANGELOG/.test(path));

describe.each(documents)('%s', (path) => {
  const text = read(path);
  const all = (pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([, name]) => name!))];

  it('links to what is there', () => {
    const broken = all(/\]\(([^)\s]+)\)/g).filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [file, anchor] = link.split('#');
      const target = file ? join(dirname(path), file) : path;
      const isFolder = files.some((one) => one.startsWith(`${target}/`));
      if (!files.includes(target)) return !isFolder;
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('names files, scripts, settings, metrics, alerts and values that exist', () => {
    const missing = {
      files: all(/`((?:[\w-]+\/)*[\w.-]+\.(?:ts|mjs|tpl|yaml|http))`/g).filter(
        (name) => !files.some((file) => file === name || file.endsWith(`/${name}`)),
      ),
      scripts: all(/\bnpm run ([\w:-]+)/g).filter((name) => !source.includes(`"${name}":`)),
      settings: all(/`(?:\w+\.)*([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b/g).filter(
        (name) => !new RegExp(String.raw`\b${name}\b`).test(source),
      ),
      metrics: all(/\b(tasklane_[a-z_]+)/g).filter((name) => !source.includes(name)),
      alerts: all(/\b(Tasklane[A-Z]\w+)/g).filter((name) => !source.includes(`alert: ${name}\n`)),
      values: all(/`((?:[a-z]\w*)(?:\.\w+)+)(?:=[^`]*)?`/g).filter(
        (name) => Object.hasOwn(values, name.split('.')[0]!) && !/\.(ts|crt|key)$/.test(name) && !isValue(name),
      ),
    };
    expect(missing).toEqual({ files: [], scripts: [], settings: [], metrics: [], alerts: [], values: [] });
  });
});
