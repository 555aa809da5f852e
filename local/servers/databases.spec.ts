import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { scratchDirectory } from '#libs/testing';
import { secretsIn } from './databases.js';

let dir: string;
beforeEach(() => {
  dir = scratchDirectory('secrets');
});
afterEach(() => rmSync(dir, { recursive: true }));

it('secrets are made once, and a service that comes later gets its own', () => {
  const file = join(dir, 'secrets.json');
  const users = { name: 'users', secrets: { TOKEN_SECRET: 'token-secret' } };
  const first = secretsIn(file, [users]);
  expect(Object.keys(first.passwords)).toEqual(['postgres', 'users']);
  expect(first.services.users!.TOKEN_SECRET).toMatch(/^[\w-]{43}$/);
  const second = secretsIn(file, [users, { name: 'audit', secrets: { KEY: 'key' } }]);
  expect(second.passwords).toEqual({ ...first.passwords, audit: expect.stringMatching(/^[\w-]{43}$/) });
  expect(second.services).toEqual({ ...first.services, audit: { KEY: expect.stringMatching(/^[\w-]{43}$/) } });
  expect(secretsIn(file, [users])).toEqual(second);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});
