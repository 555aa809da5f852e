import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, createServer, type Server } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { register } from 'prom-client';
import { hasOpenssl, type SecretFiles, SecretVolume, TestAuthority } from '#libs/testing';
import { Certificates } from './certificates.js';

const names = { ca: 'CA', cert: 'CERT', key: 'KEY' };

(hasOpenssl ? describe : describe.skip)('certificates', () => {
  let authority: TestAuthority;
  let volume: SecretVolume;
  let warnings: string[];
  let config: Record<string, string>;
  let server: Server;
  let unfollow: () => void;

  /** The expiry of the server's certificate; rejects if it is not accepted. */
  const connection = () =>
    new Promise<string>((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      const socket = connect({ port, host: '127.0.0.1', ca: authority.certificate }, () => {
        resolve(socket.getPeerCertificate().valid_to);
        socket.destroy();
      });
      socket.once('error', reject);
    });
  const issue = (seconds: number) => authority.issue('IP:127.0.0.1', { seconds });
  const endsIn = (minutes: number, text: string) => Math.abs(Date.parse(text) - Date.now() - minutes * 60_000) < 30_000;

  beforeEach(async () => {
    warnings = [];
    jest.spyOn(Logger.prototype, 'log').mockReturnValue(undefined);
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((message: unknown) => void warnings.push(String(message)));
    authority = new TestAuthority();
    volume = new SecretVolume(issue(5));
    config = { CA: volume.path('ca.crt'), CERT: volume.path('tls.crt'), KEY: volume.path('tls.key') };
    const certificates = new Certificates(config, names);
    server = createServer(certificates.current, (socket) => socket.on('error', () => {}));
    unfollow = certificates.follow((pem) => server.setSecureContext(pem));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    unfollow();
    server.close();
    volume.remove();
    authority.remove();
    jest.restoreAllMocks();
  });

  it('of a server are renewed before they expire, without a restart', async () => {
    await connection();
    volume.write(issue(600));
    await sleep(5000);
    expect(endsIn(10, await connection())).toBe(true);
  }, 20_000);

  it.each<[string, (good: SecretFiles) => Partial<SecretFiles>]>([
    ['a key of another certificate', (good) => ({ ...good, 'tls.key': issue(60)['tls.key'] })],
    ['half a certificate', (good) => ({ ...good, 'tls.crt': good['tls.crt'].slice(0, 300) })],
    ['half an authority', (good) => ({ ...good, 'ca.crt': good['ca.crt'].slice(0, 300) })],
    ['an empty authority', (good) => ({ ...good, 'ca.crt': '' })],
    ['no key', ({ 'tls.crt': crt, 'ca.crt': ca }) => ({ 'tls.crt': crt, 'ca.crt': ca })],
  ])('with %s are refused with one line, and what comes after is taken', (_what, spoil) => {
    const certificates = new Certificates(config, names);
    const former = certificates.current;
    const next = issue(600);
    volume.write(spoil(next));
    let now = performance.now();
    jest.spyOn(performance, 'now').mockImplementation(() => (now += 2000));
    expect([certificates.current, certificates.current]).toEqual([former, former]);
    expect(warnings).toEqual([expect.stringContaining(`${config.KEY}: the new certificates are invalid`)]);
    volume.write(next);
    expect(String(certificates.current.cert)).toBe(next['tls.crt']);
  });

  it('say in a metric when they expire', async () => {
    volume.write(issue(600));
    const metric = register.getSingleMetric('tasklane_tls_certificate_expiry_timestamp_seconds')!;
    const { values } = await metric.get();
    const expiry = (file?: string) => values.find(({ labels }) => labels.file === file)?.value;
    expect(Math.abs(expiry(config.CERT)! - Date.now() / 1000 - 600)).toBeLessThan(30);
    expect(Math.abs(expiry(config.CA)! - Date.now() / 1000 - 86_400)).toBeLessThan(30);
    expect(expiry(config.KEY)).toBeUndefined();
  });

  it('that cannot be used at the start stop it, by the name of the setting', () => {
    const missing = { ...config, KEY: '/no/key' };
    expect(() => new Certificates(missing, names)).toThrow('KEY: ENOENT');
    volume.write({ ...issue(60), 'ca.crt': 'nonsense' });
    expect(() => new Certificates(config, names)).toThrow('CA, CERT, KEY: there is no certificate');
  });
});
