import { get } from 'node:https';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, hasOpenssl, SecretVolume, TestAuthority, waitFor } from '#libs/testing';
import { UsersFixture } from '../../test/users-fixture.js';

(hasOpenssl ? describe : describe.skip)('the keys over TLS', () => {
  let authority: TestAuthority;
  let volume: SecretVolume;
  let fixture: UsersFixture;

  const keysUnder = (issuer: TestAuthority) =>
    new Promise<unknown>((resolve, reject) => {
      const url = `https://127.0.0.1:${fixture.service.env.HTTPS_PORT}/.well-known/jwks.json`;
      get(url, { ca: issuer.certificate, agent: false }, (response) => resolve(json(response))).once('error', reject);
    });

  beforeAll(async () => {
    authority = new TestAuthority();
    volume = new SecretVolume(authority.issue('IP:127.0.0.1'));
    fixture = await UsersFixture.start({
      HTTPS_PORT: String(await freePort()),
      HTTPS_CERT_PATH: volume.path('tls.crt'),
      HTTPS_KEY_PATH: volume.path('tls.key'),
    });
  });
  afterAll(async () => {
    await fixture.close();
    volume.remove();
    authority.remove();
  });

  it('are those that are served without, under a certificate that is renewed without a restart', async () => {
    const { body } = await fixture.send('GET', '/.well-known/jwks.json');
    expect(await keysUnder(authority)).toEqual(body);
    const next = new TestAuthority();
    await expect(keysUnder(next)).rejects.toThrow('certificate');
    volume.write(next.issue('IP:127.0.0.1'));
    const served = () => keysUnder(next).catch(() => undefined);
    await waitFor(async () => (await served()) !== undefined, { timeout: 10_000, interval: 200 });
    expect(await served()).toEqual(body);
    next.remove();
  }, 20_000);

  it('need both files', async () => {
    const env = { HTTPS_PORT: '0', HTTPS_CERT_PATH: volume.path('tls.crt') };
    await expect(UsersFixture.start(env)).rejects.toThrow('HTTPS_CERT_PATH and HTTPS_KEY_PATH: belong together');
  });
});
