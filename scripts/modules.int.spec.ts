import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { createDatabase } from '#libs/testing';
import { serviceNames } from './services.js';

/** Prints every module that Node is asked for, by import or require, as the process ends. */
const LIST_MODULES = `data:text/javascript,
  import { registerHooks } from 'node:module';
  const urls = [];
  registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
  process.on('exit', () => process.stderr.write(urls.join('\\n')));`;

/** Runs Node in the root of the project. */
async function run(args: string[], env?: NodeJS.ProcessEnv) {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', LIST_MODULES, ...args], {
    env: { ...process.env, ...env },
    maxBuffer: 1 << 24,
  });
  return { stdout, packages: [...new Set(stderr.match(/(?<=node_modules\/)(@[^/]+\/)?[^/]+/g))] };
}

describe.each(serviceNames)('of %s', (name) => {
  it('main.js migrate brings the schema up to date without Nest', async () => {
    const database = await createDatabase();
    const { stdout, packages } = await run([`dist/apps/${name}/src/main.js`, 'migrate'], {
      DATABASE_URL: database.url,
      KAFKA_BROKERS: 'localhost:9092',
      SMTP_URL: 'smtp://localhost:1025',
      TOKEN_SECRET: 'a secret of at least thirty-two characters',
    });
    await database.drop();
    expect(stdout).toMatch(/schema \d+ is in place/);
    expect(packages).toEqual(expect.arrayContaining(['pg', 'typeorm']));
    expect(packages.filter((name) => /^(@nestjs|@fastify|@grpc|fastify|kafkajs)\b/.test(name))).toEqual([]);
  });

  it('the application is loaded without what makes its documents', async () => {
    const { packages } = await run(['--eval', `import('./dist/apps/${name}/src/app.module.js')`]);
    expect(packages).toEqual(expect.arrayContaining(['@nestjs/core', 'zod']));
    expect(packages.filter((name) => /^(@nestjs\/swagger|es-toolkit|js-yaml)$/.test(name))).toEqual([]);
  });
});
