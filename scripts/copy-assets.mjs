// Copies the assets of nest-cli.json (contracts, templates) to dist/, as `nest build` does.
import { cpSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const { projects, compilerOptions } = JSON.parse(readFileSync('nest-cli.json', 'utf8'));
// Nest resolves the patterns from each project's sources, which are all equally deep.
const patterns = compilerOptions.assets.map((pattern) => join(projects.users.sourceRoot, pattern));
for (const file of globSync(patterns)) cpSync(file, join('dist', file));
