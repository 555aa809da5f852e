import { request } from 'node:https';
import { describe, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import { passE2e } from './black-box.js';
import { fixed, fullname, itWith, kubectl, upgrade } from './release.js';

/** The HTTPS address of the ingress. */
const { HTTPS_URL } = process.env;
const host = 'tasklane.example.test';

describe('with certificates of the chart', () => {
  it('passes the e2e suite with TLS between all parts', async () => {
    await upgrade({ ...fixed, 'tls.enabled': true });
    await passE2e();
  }, 600_000);

  itWith(HTTPS_URL)('serves HTTPS at the Ingress', async () => {
    await upgrade({
      ...fixed,
      'tls.enabled': true,
      'ingress.hosts[0]': host,
      'ingress.tls.enabled': true,
      'ingress.tls.source': 'generated',
      // Not needed where the controller's HTTPS entry point has TLS switched on for all routes.
      'ingress.annotations.traefik\\.ingress\\.kubernetes\\.io/router\\.tls': 'true',
    });
    const names = await kubectl('get', 'ingress', fullname, '-o', 'jsonpath={.spec.tls[0].secretName}');
    const encoded = await kubectl('get', 'secret', names, '-o', 'jsonpath={.data.tls\\.crt}');
    const ca = Buffer.from(encoded, 'base64');
    const status = () =>
      new Promise<number | undefined>((resolve, reject) => {
        const url = new URL('/.well-known/jwks.json', HTTPS_URL);
        request(url, { ca, servername: host, headers: { host }, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
    const ok = async () => (await status()) === 200;
    await waitFor(ok, { timeout: 60_000, interval: 500, what: 'an answer under the certificate' });
  });
});
