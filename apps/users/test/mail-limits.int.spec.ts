import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '#libs/testing';
import { clean } from '../src/database.js';
import { newUser, PASSWORD, UsersFixture } from './users-fixture.js';

describe('welcome mails', () => {
  let fixture: UsersFixture;
  let otherPod: UsersFixture;

  beforeAll(async () => {
    fixture = await UsersFixture.start({ TRUSTED_HOPS: '1', MAILS_PER_ADDRESS: '2', MAILS_PER_NETWORK: '3' });
    otherPod = await UsersFixture.start({ ...fixture.service.env, GRPC_PORT: String(await freePort()) });
  });
  afterAll(async () => {
    await otherPod.close();
    await fixture.close();
  });

  /** Registers and says whether a mail was asked for. */
  const isWelcomed = async (pod: UsersFixture, email: string, address: string) => {
    const headers = { 'x-forwarded-for': address };
    const { status, body } = await pod.send('POST', '/users', { body: newUser({ email }), headers });
    expect(status).toBe(201);
    const events = await fixture.events(body.id, 2);
    const { data } = events.find(({ type }) => type === 'user.registered')!;
    expect(data.userId).toBe(body.id);
    return data.welcome !== false;
  };
  const erase = async (email: string) => {
    const { accessToken: token } = await fixture.login(email, PASSWORD);
    expect((await fixture.send('DELETE', '/users/me', { token })).status).toBe(204);
  };

  it('to one address are limited, whoever registers it again and again', async () => {
    const email = `${randomUUID()}@example.com`;
    const welcomed: boolean[] = [];
    for (let time = 1; time <= 4; time++) {
      welcomed.push(await isWelcomed(time % 2 ? fixture : otherPod, email, `198.51.${time}.1`));
      await erase(email);
    }
    expect(welcomed).toEqual([true, true, false, false]);
    const kept = JSON.stringify(
      await fixture.dataSource.query(`SELECT encode(key, 'escape') AS key FROM limit_counts`),
    );
    expect(kept).not.toContain('example.com');

    await fixture.dataSource.query(`UPDATE limit_counts SET until = now()`);
    expect(await isWelcomed(fixture, email, '198.51.7.1')).toBe(true);
  });

  it('asked for from one network are limited, exactly, over all pods', async () => {
    const all = Array.from({ length: 10 }, (_, n) =>
      isWelcomed(n % 2 ? fixture : otherPod, `${randomUUID()}@example.com`, `203.0.113.${n}`),
    );
    expect((await Promise.all(all)).filter(Boolean)).toHaveLength(3);
    expect(await isWelcomed(fixture, `${randomUUID()}@example.com`, '203.0.114.1')).toBe(true);
  });

  it('are still counted by a replica of the former version, which knows the table by its former name', async () => {
    const count = async () => {
      const [row] = await fixture.dataSource.query<{ count: number }[]>(
        `INSERT INTO mail_counts AS m (key, count, until) VALUES ('\\x01', 1, now() + interval '1 day')
         ON CONFLICT (key) DO UPDATE SET count = least(m.count, 5) + 1 RETURNING count`,
      );
      return row!.count;
    };
    expect([await count(), await count()]).toEqual([1, 2]);
  });

  it('are not counted for longer than a day', async () => {
    await fixture.dataSource.query(`UPDATE limit_counts SET until = now()`);
    await fixture.dataSource.transaction(clean);
    expect(await fixture.dataSource.query('SELECT FROM limit_counts')).toEqual([]);
  });
});
