// Writes the table of values in helm/tasklane/README.md from values.yaml:  node scripts/chart-readme.mjs
// With --check it changes nothing and fails where the table is stale. It always fails where a key of values.yaml has no
// comment that begins with its name.
import { readFileSync, writeFileSync } from 'node:fs';
import { isMap, isScalar, parseDocument } from 'yaml';

const chart = 'helm/tasklane';
const undocumented = [];
const rows = [];

/** The block directly above a key; the parser attaches a map's first comment to the map itself. */
const commentOf = (map, index) =>
  (index === 0 ? map.commentBefore : undefined) ?? map.items[index].key.commentBefore ?? '';

function collect(map, path) {
  map.items.forEach(({ key, value }, index) => {
    const name = [...path, key.value].join('.');
    const text = commentOf(map, index)
      .split(/\n\s*\n/)
      .at(-1)
      .replace(/\s*\n\s*/g, ' ')
      .trim();
    const described = text.startsWith(`${key.value} `);
    // The keys of a flow map, and of a map that is one value (parameters of a server), are explained with the map.
    const branch =
      isMap(value) && !value.flow && value.items.some((item) => item.key.commentBefore || value.commentBefore);
    if (!described) undocumented.push(name);
    const shown = branch ? '' : `\`${JSON.stringify(value.toJSON())}\``;
    rows.push(`| \`${name}\` | ${shown} | ${text.slice(key.value.length + 1).replaceAll('|', '\\|')} |`);
    if (branch) collect(value, [...path, key.value]);
  });
}

const document = parseDocument(readFileSync(`${chart}/values.yaml`, 'utf8'));
// A comment at the top, before an empty line, is about the file and not about the first key.
if (document.contents.items.length === 0 || !isScalar(document.contents.items[0].key)) throw new Error('no values');
collect(document.contents, []);
if (undocumented.length > 0) {
  console.error(`values.yaml: no comment that begins with the key's name: ${undocumented.join(', ')}`);
  process.exit(1);
}

const readme = readFileSync(`${chart}/README.md`, 'utf8');
const [head, , tail] = readme.split(/(?<=<!-- values -->\n)([^]*)(?=<!-- end of values -->)/);
const table = ['', '| key | default | what it is |', '| --- | --- | --- |', ...rows, '', ''].join('\n');
const wanted = head + table + tail;
if (wanted === readme) console.log(`${chart}/README.md is up to date: ${rows.length} values`);
else if (process.argv.includes('--check')) {
  console.error(`${chart}/README.md is stale, run scripts/chart-readme.mjs`);
  process.exit(1);
} else writeFileSync(`${chart}/README.md`, wanted);
