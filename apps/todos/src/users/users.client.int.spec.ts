import { ServerCredentials } from '@grpc/grpc-js';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { hasOpenssl, type SecretFiles, SecretVolume, TestAuthority, waitFor } from '#libs/testing';
import { FakeUsers } from '../../test/fake-users.js';
import type { Config } from '../config.js';
import { UsersClient } from './users.client.js';

const mutual = (files: SecretFiles) =>
  ServerCredentials.createSsl(
    Buffer.from(files['ca.crt']),
    [{ cert_chain: Buffer.from(files['tls.crt']), private_key: Buffer.from(files['tls.key']) }],
    true,
  );

beforeAll(() => Logger.overrideLogger(false));

(hasOpenssl ? describe : describe.skip)('the client of users over mutual TLS', () => {
  it('shows a renewed certificate and takes a new authority without a restart', async () => {
    const [former, next] = [new TestAuthority(), new TestAuthority()];
    const volume = new SecretVolume(former.issue('DNS:todos'));
    const users = new FakeUsers();
    const { id } = users.add('01998d2f-6c1e-7b3a-9f00-5a1b2c3d4e5f');
    await users.start(mutual(former.issue('IP:127.0.0.1')));
    const client = new UsersClient({
      USERS_GRPC_URL: users.address,
      GRPC_TLS_CA_PATH: volume.path('ca.crt'),
      GRPC_TLS_CERT_PATH: volume.path('tls.crt'),
      GRPC_TLS_KEY_PATH: volume.path('tls.key'),
    } as Config);
    const found = async () => (await client.getUser(id).catch(() => undefined))?.id === id;
    expect(await found()).toBe(true);
    users.stop();
    await users.start(mutual(next.issue('IP:127.0.0.1')));
    expect(await found()).toBe(false);
    volume.write(next.issue('DNS:todos'));
    await waitFor(found, { timeout: 15_000, interval: 500 });
    client.onApplicationShutdown();
    users.stop();
    for (const made of [former, next, volume]) made.remove();
  }, 30_000);
});
