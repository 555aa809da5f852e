import { cpSync, readFileSync, writeFileSync } from 'node:fs';

// node e2e/cluster/next-version.mjs <folder>: copies the sources there and adds a migration to todos. An update to the image
// built of them, and the rollback, then cross a schema change.
const folder = process.argv[2];
const sources = ['apps', 'libs', 'local', 'scripts', 'e2e', 'Dockerfile', '.dockerignore', '.npmrc'];
const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'nest-cli.json', 'jest.config.js'];
for (const path of [...sources, ...settings]) cpSync(path, `${folder}/${path}`, { recursive: true });

const migrations = `${folder}/apps/todos/src/migrations`;
writeFileSync(
  `${migrations}/next-version.ts`,
  `import type { MigrationInterface, QueryRunner } from 'typeorm';

export class NextVersion1999999999999 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE lists ADD COLUMN colour text NOT NULL DEFAULT 'grey'");
    await runner.query('ALTER TABLE items ADD COLUMN colour text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE items DROP COLUMN colour');
    await runner.query('ALTER TABLE lists DROP COLUMN colour');
  }
}
`,
);
const database = `${folder}/apps/todos/src/database.ts`;
const text = readFileSync(database, 'utf8');
const changed = text
  .replace(/(?=^\/\*\* The schema)/m, `import { NextVersion1999999999999 } from './migrations/next-version.js';\n\n`)
  .replace(/(?<=migrations: \[[^\]]*)(?=^ {2}\],)/m, '    NextVersion1999999999999,\n');
if (changed.match(/NextVersion/g)?.length !== 2) throw new Error(`the migrations were not found in ${database}`);
writeFileSync(database, changed);
