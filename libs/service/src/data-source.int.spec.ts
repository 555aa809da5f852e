import { chownSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { hasOpenssl, ownPostgres, type SecretFiles, SecretVolume, TestAuthority } from '#libs/testing';
import { createDataSource } from './data-source.js';

(hasOpenssl ? describe : describe.skip)('connections to PostgreSQL over TLS', () => {
  it('are made under renewed certificates without a restart of either side', async () => {
    const [former, next] = [new TestAuthority(), new TestAuthority()];
    const volume = new SecretVolume({ 'ca.crt': former.certificate });
    const server = await ownPostgres();
    const operator = createDataSource(
      { entities: [], migrations: [] },
      { DATABASE_URL: server.url, DATABASE_POOL_SIZE: 1 },
      Logger,
    );
    await operator.initialize();
    const [{ data_directory: data }] = await operator.query<[{ data_directory: string }]>('SHOW data_directory');
    const serveWith = async (files: SecretFiles) => {
      const { uid, gid } = statSync(data);
      for (const [name, content] of [
        ['server.crt', files['tls.crt']],
        ['server.key', files['tls.key']],
      ] as const) {
        writeFileSync(join(data, name), content, { mode: 0o600 });
        chownSync(join(data, name), uid, gid);
      }
      await operator.query('SELECT pg_reload_conf()');
    };
    await operator.query('ALTER SYSTEM SET ssl = on');
    await serveWith(former.issue('IP:127.0.0.1'));

    const url = `${server.url}?sslmode=verify-full&sslrootcert=${volume.path('ca.crt')}`;
    const service = createDataSource(
      { entities: [], migrations: [] },
      { DATABASE_URL: url, DATABASE_POOL_SIZE: 9 },
      Logger,
    );
    /** Uses this many connections at once; those beyond the open ones are new. */
    const connections = (count: number) =>
      Promise.all(Array.from({ length: count }, () => service.query('SELECT pg_sleep(0.2)')));
    await service.initialize();
    await connections(3);
    await serveWith(next.issue('IP:127.0.0.1'));
    await expect(connections(6)).rejects.toThrow('certificate');
    volume.write({ 'ca.crt': next.certificate });
    await connections(9);

    await service.destroy();
    await operator.destroy();
    await server.remove();
    for (const made of [former, next, volume]) made.remove();
  }, 30_000);
});
