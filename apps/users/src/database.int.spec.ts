import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Housekeeping } from '#libs/service';
import { UsersFixture } from '../test/users-fixture.js';

describe('housekeeping', () => {
  let fixture: UsersFixture;

  beforeAll(async () => {
    fixture = await UsersFixture.start();
    await fixture.person();
    await fixture.person();
    const { accessToken: token } = await fixture.person();
    await fixture.send('POST', '/auth/logout', { token });
    await fixture.dataSource.query(
      `UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id = (SELECT id FROM sessions WHERE revoked_at IS NULL LIMIT 1)`,
    );
    await fixture.dataSource.query(
      `INSERT INTO idempotency_keys (key, fingerprint, answer, created_at)
       VALUES ('old', '', '{}', now() - interval '25 hours'), ('new', '', '{}', now())`,
    );
  });
  afterAll(() => fixture.close());

  const kept = async () => {
    const sessions = await fixture.dataSource.query<unknown[]>('SELECT id FROM sessions');
    const keys = await fixture.dataSource.query<{ key: string }[]>('SELECT key FROM idempotency_keys');
    return [
      sessions.length,
      keys
        .map(({ key }) => key)
        .sort()
        .join(),
    ];
  };

  it('leaves it to the replica that is at it', async () => {
    const runner = fixture.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query(`SELECT pg_advisory_xact_lock(hashtext('tasklane.housekeeping'))`);
    await fixture.service.app.get(Housekeeping).run();
    expect(await kept()).toEqual([3, 'new,old']);
    await runner.rollbackTransaction();
    await runner.release();
  });

  it('deletes sessions and kept answers whose time is over', async () => {
    await fixture.service.app.get(Housekeeping).run();
    expect(await kept()).toEqual([1, 'new']);
  });
});
