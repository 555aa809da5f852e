import { createServer } from 'node:https';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Certificates } from './certificates.js';
import type { serviceSettings } from './service.settings.js';
import { type ConfigOf, SettingsError } from './settings.js';

type HttpsConfig = Pick<
  ConfigOf<typeof serviceSettings>,
  'HTTPS_PORT' | 'HTTPS_CERT_PATH' | 'HTTPS_KEY_PATH' | 'LISTEN_ADDRESS'
>;

/**
 * Serves an application that is already listening over TLS as well, if the settings name a certificate. Stops with it.
 * @returns the port. @throws SettingsError when the certificate and its key cannot be used.
 */
export async function serveHttps(app: NestFastifyApplication, config: HttpsConfig): Promise<number | undefined> {
  const { HTTPS_PORT, HTTPS_CERT_PATH: cert, HTTPS_KEY_PATH: key, LISTEN_ADDRESS } = config;
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new SettingsError(['HTTPS_CERT_PATH and HTTPS_KEY_PATH: belong together']);
  }
  const certificates = new Certificates(config, { cert: 'HTTPS_CERT_PATH', key: 'HTTPS_KEY_PATH' });
  const plain = app.getHttpServer();
  const { keepAliveTimeout, requestTimeout } = plain;
  const server = createServer({ ...certificates.current, keepAliveTimeout, requestTimeout }, (request, response) =>
    plain.emit('request', request, response),
  );
  const unfollow = certificates.follow((pem) => server.setSecureContext(pem));
  plain.once('close', () => {
    unfollow();
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(HTTPS_PORT, LISTEN_ADDRESS, resolve),
  );
  return (server.address() as { port: number }).port;
}
