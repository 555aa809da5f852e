import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import LogReporter, { secretsIn } from './log-reporter.js';
import { scratchDirectory } from './scratch.js';

const mac = randomBytes(32).toString('base64url');

describe('secrets in logs', () => {
  let folder: string;
  beforeEach(() => void (folder = scratchDirectory('logs')));
  afterEach(() => rmSync(folder, { recursive: true }));

  it.each([
    ['an e-mail address', 'DETAIL:  Key (email)=(person-1a-7@example.test) already exists.'],
    ['a password', '{"body":{"password":"correct horse battery"}}'],
    ['a password hash', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA'],
    ['an access token', 'Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJl'],
    ['a refresh token', `${randomUUID()}.3.${mac}`],
    ['a device cookie', `1790000000.${randomBytes(16).toString('base64url')}.${mac}`],
    ['a private key', '-----BEGIN PRIVATE KEY-----'],
    ['the password of a database', 'connecting to postgres://users:secret@127.0.0.1:5432/users'],
  ])('%s is found', (what, line) => {
    writeFileSync(join(folder, 'users.log'), `{"level":"info"}\n${line}\n`);
    expect(secretsIn(folder)).toEqual([`users.log: ${what}: ${line}`]);
  });

  it('are not ids, paths and statements', () => {
    const line = `{"route":"/api/v1/users/me","id":"${randomUUID()}","error":"INSERT INTO users (email) VALUES ($1)"}`;
    writeFileSync(join(folder, 'users.log'), line);
    expect(secretsIn(folder)).toEqual([]);
  });

  it('do not concern a run without a system', () => {
    const results = { numFailedTests: 0, numPassedTests: 3 };
    new LogReporter().onRunComplete(undefined, results);
    expect(results).toEqual({ numFailedTests: 0, numPassedTests: 3 });
  });
});
