import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { loadSettings } from '#libs/service';
import { hasOpenssl, SecretVolume, TestAuthority, waitFor } from '#libs/testing';
import { messagingSettings } from '../shared/messaging.settings.js';
import { createKafka } from './kafka.js';

beforeAll(() => Logger.overrideLogger(false));

(hasOpenssl ? describe : describe.skip)('the Kafka client over TLS', () => {
  it('takes a new authority of the brokers without a restart', async () => {
    const [former, next] = [new TestAuthority(), new TestAuthority()];
    const volume = new SecretVolume({ 'ca.crt': former.certificate });
    const { 'tls.crt': cert, 'tls.key': key } = next.issue('IP:127.0.0.1');
    let handshakes = 0;
    // Nobody answers: what counts is that the client has sent something under this certificate.
    const broker = createServer({ cert, key }, (socket) =>
      socket
        .on('error', () => {})
        .once('data', () => {
          handshakes++;
          socket.destroy();
        }),
    );
    await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve));
    const config = loadSettings(messagingSettings, {
      KAFKA_BROKERS: `127.0.0.1:${(broker.address() as AddressInfo).port}`,
      KAFKA_TLS: 'true',
      KAFKA_CA_FILE_PATH: volume.path('ca.crt'),
    });
    const admin = createKafka(config, 'test').admin({ retry: { retries: 0 } });
    await expect(admin.connect()).rejects.toThrow();
    expect(handshakes).toBe(0);
    volume.write({ 'ca.crt': next.certificate });
    await waitFor(
      async () => {
        await admin.connect().catch(() => {});
        return handshakes > 0;
      },
      { timeout: 10_000, interval: 200 },
    );
    await admin.disconnect();
    broker.close();
    for (const made of [former, next, volume]) made.remove();
  }, 20_000);
});
