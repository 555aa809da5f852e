// Copies what the compiler does not (contracts, templates) to its place in dist/: the assets that `nest build` copies.
import { cpSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const { projects, compilerOptions } = JSON.parse(readFileSync('nest-cli.json', 'utf8'));
// Nest reads the patterns as seen from the sources of each project, which all lie equally deep.
const patterns = compilerOptions.assets.map((pattern) => join(projects.users.sourceRoot, pattern));
for (const file of globSync(patterns)) cpSync(file, join('dist', file));
