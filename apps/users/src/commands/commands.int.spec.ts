import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import { projectRoot } from '#local/servers/layout.js';
import { ADMIN, PASSWORD, UsersFixture } from '../../test/users-fixture.js';

describe('commands of an operator', () => {
  let fixture: UsersFixture;

  beforeAll(async () => {
    fixture = await UsersFixture.start();
  });
  afterAll(() => fixture.close());

  /** Runs `main.js` beside the service, as `kubectl exec` and a Job do. */
  const main = (...args: string[]) =>
    new Promise<{ code: number; output: string }>((resolve) => {
      const path = fileURLToPath(new URL('dist/apps/users/src/main.js', projectRoot));
      const env = { ...process.env, ...fixture.service.env };
      execFile(process.execPath, [path, ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: error ? (error.code as number) : 0, output: stdout + stderr }),
      );
    });
  const rolesOf = async (token: string) => (await fixture.send('GET', '/users/me', { token })).body.roles as string[];
  const refresh = async (refreshToken: string) =>
    (await fixture.send('POST', '/auth/refresh', { body: { refreshToken } })).body;

  it('grant-role makes an administrator, from the next refresh or login on, and says so to the others', async () => {
    const { user, accessToken, refreshToken } = await fixture.person();
    const granted = await main('grant-role', ` ${user.email.toUpperCase()}`, 'admin');
    expect(granted).toEqual({
      code: 0,
      output: `the account ${user.id} has the role admin from the next login or refresh on\n`,
    });
    expect((await fixture.send('GET', '/users', { token: accessToken })).status).toBe(403);
    const { accessToken: token } = await refresh(refreshToken);
    expect((await fixture.send('GET', '/users', { token })).status).toBe(200);
    const { data } = (await fixture.events(user.id, 3)).findLast(({ type }) => type === 'user.changed')!;
    expect(data).toMatchObject({ roles: ['admin'], version: 2 });
    expect(await main('grant-role', user.email, 'admin')).toMatchObject({
      code: 0,
      output: expect.stringContaining('already'),
    });
  });

  it('revoke-role takes it away at once, with the tokens that still carry it', async () => {
    const { user, accessToken: token, refreshToken } = await fixture.admin();
    expect((await fixture.send('GET', '/users', { token })).status).toBe(200);
    expect((await main('revoke-role', ADMIN, 'admin')).code).toBe(0);
    await waitFor(async () => (await fixture.send('GET', '/users', { token })).body.code === 'token-revoked');
    expect((await refresh(refreshToken)).code).toBe('refresh-token-invalid');
    expect(await rolesOf((await fixture.login(user.email)).accessToken)).toEqual([]);
    expect((await main('revoke-role', ADMIN, 'admin')).output).toContain('has not the role');
  });

  it('revoke-all ends every session, whosever it is', async () => {
    const people = await Promise.all([fixture.person(), fixture.person()]);
    expect(await main('revoke-all')).toEqual({ code: 0, output: expect.stringMatching(/^\d+ sessions ended\n$/) });
    for (const { accessToken: token, refreshToken } of people) {
      await waitFor(async () => (await fixture.send('GET', '/users/me', { token })).body.code === 'token-revoked');
      expect((await refresh(refreshToken)).code).toBe('refresh-token-invalid');
    }
    expect((await main('revoke-all')).output).toBe('0 sessions ended\n');
  });

  it.each([
    [['grant-role', 'nobody@example.com', 'admin'], 1, 'no account has this address; register it first'],
    [['grant-role', 'nobody@', 'admin'], 1, 'EMAIL is not an e-mail address'],
    [['grant-role', 'admin', 'nobody@example.com'], 1, 'there is no such role; there is admin'],
    [['grant-role', 'nobody@example.com'], 64, 'grant-role takes EMAIL ROLE'],
    [['constructor'], 64, 'unknown command "constructor": use no argument to serve, or migrate, grant-role EMAIL ROLE'],
  ])('%j ends with %i and one sentence, which repeats no address', async (args, code, sentence) => {
    const result = await main(...args);
    expect([result.code, result.output.split('\n').length]).toEqual([code, 2]);
    expect(result.output).toContain(sentence);
    expect(result.output).not.toContain('nobody@');
  });

  it('leave nothing to whoever registers an administrator’s address after them', async () => {
    const { user, accessToken: token } = await fixture.person();
    await main('grant-role', user.email, 'admin');
    expect((await fixture.send('DELETE', '/users/me', { token })).status).toBe(204);
    const again = await fixture.register({ email: user.email });
    expect(again.roles).toEqual([]);
    expect(await rolesOf((await fixture.login(again.email, PASSWORD)).accessToken)).toEqual([]);
  });
});
