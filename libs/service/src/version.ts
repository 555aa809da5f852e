import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The release, from package.json at the root, where every command of the project is run. */
export const { version } = JSON.parse(readFileSync(join(process.cwd(), 'package.json'), 'utf8')) as { version: string };
