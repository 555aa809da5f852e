import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { createDatabase } from '#libs/testing';
import { serviceNames } from './services.js';

/** Prints every module that Node is asked for, by import or require, as the process ends. */
const LIST_MODULES = `data:text/javascript,
  import { registerHooks } from 'node:module';
  const urls = [];
  registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
  process.on('exit', () => process.stderr.write(urls.join('\\n')));`;

it.each(serviceNames)('main.js migrate of %s brings the schema up to date without Nest', async (name) => {
  const database = await createDatabase();
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--import', LIST_MODULES, `dist/apps/${name}/src/main.js`, 'migrate'],
    {
      env: {
        ...process.env,
        DATABASE_URL: database.url,
        KAFKA_BROKERS: 'localhost:9092',
        SMTP_URL: 'smtp://localhost:1025',
        TOKEN_SECRET: 'a secret of at least thirty-two characters',
      },
      maxBuffer: 1 << 24,
    },
  );
  await database.drop();
  const packages = new Set(stderr.match(/(?<=node_modules\/)(@[^/]+\/)?[^/]+/g));
  expect(stdout).toMatch(/schema \d+ is in place/);
  expect([...packages]).toEqual(expect.arrayContaining(['pg', 'typeorm']));
  expect([...packages].filter((name) => /^(@nestjs|@fastify|@grpc|fastify|kafkajs)\b/.test(name))).toEqual([]);
});
