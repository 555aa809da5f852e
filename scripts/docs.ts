import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { format } from 'prettier';
import { events } from '#libs/contracts';
import { describeService, loadSettings, version } from '#libs/service';
import { declarations } from '#local/servers/declarations.js';
import { asyncApi } from './asyncapi.js';
import { architecture } from './event-table.js';
import { chartSchema, schemaPath } from './chart-schema.js';
import { chartValues, valuesPath } from './chart-topics.js';
import { mergeApis } from './merge-apis.js';
import { loadServices } from './services.js';
import { settingsTable } from './settings-table.js';

/** For settings without a default; the values appear nowhere. */
const REQUIRED = {
  DATABASE_URL: 'postgres://user:password@localhost:5432/database',
  KAFKA_BROKERS: 'localhost:9092',
  SMTP_URL: 'smtp://localhost:1025',
  TOKEN_SECRET: 'only to make the description of the API',
};

const EXAMPLES = 'libs/contracts/examples';

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** All generated documents, by path. */
export async function documents(): Promise<Map<string, string>> {
  const made = new Map<string, string>();
  const services = await loadServices(declarations.map(({ name }) => name));
  const apis = await Promise.all(
    services.map((service) => describeService(service, loadSettings(service.settings, REQUIRED))),
  );
  for (const [index, { name }] of services.entries()) made.set(`docs/openapi/${name}.json`, json(apis[index]));
  // In the sources of the service that serves it, and so in its image.
  made.set('apps/users/src/openapi/tasklane.json', json(mergeApis(apis)));
  made.set('docs/asyncapi.yaml', asyncApi(version));
  const byService = Object.fromEntries(services.map(({ name, settings }) => [name, settings]));
  made.set('docs/settings.md', await format(settingsTable(byService), { parser: 'markdown', printWidth: 120 }));
  made.set(schemaPath, await chartSchema(byService));
  made.set(valuesPath, chartValues());
  made.set('ARCHITECTURE.md', await format(architecture(), { parser: 'markdown', printWidth: 120 }));
  // Only the newest version's: schemas are tested against the examples of the older ones.
  const newest = readdirSync(EXAMPLES)
    .toSorted((a, b) => Number(a) - Number(b))
    .at(-1)!;
  for (const { type, example } of events) made.set(`${EXAMPLES}/${newest}/${type}.json`, json(example));
  return made;
}

/** The documents that are out of date. */
export async function staleDocuments(): Promise<string[]> {
  const made = [...(await documents())];
  return made.filter(([path, text]) => !existsSync(path) || readFileSync(path, 'utf8') !== text).map(([path]) => path);
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const stale = await staleDocuments();
    for (const path of stale) process.stderr.write(`${path} is stale: run "npm run docs" and commit it\n`);
    process.exitCode = stale.length > 0 ? 1 : 0;
  } else {
    for (const [path, text] of await documents()) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      process.stdout.write(`${path}\n`);
    }
  }
}
