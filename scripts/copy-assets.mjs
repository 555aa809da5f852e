// Copies what the compiler does not (contracts, templates) from the sources to their place in dist/.
import { cpSync } from 'node:fs';
import { extname } from 'node:path';
import { statSync } from 'node:fs';

const kinds = new Set(['.proto', '.hbs', '.html', '.txt', '.xml']);
for (const root of ['apps', 'libs', 'local']) {
  cpSync(root, `dist/${root}`, {
    recursive: true,
    filter: (source) => statSync(source).isDirectory() || kinds.has(extname(source)),
  });
}
