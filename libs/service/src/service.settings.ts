import { networkInterfaces } from 'node:os';
import { z } from 'zod';
import { duration, port, rateOrNone, setting } from './settings.js';

export const serviceSettings = {
  PORT: setting('Port of the HTTP API and the probes', port, { default: '8080' }),
  HTTPS_PORT: setting('Port of the same API over TLS, where HTTPS_CERT_PATH is set', port, { default: '8443' }),
  HTTPS_CERT_PATH: setting(
    'PEM file with the certificate for HTTPS; PORT still serves HTTP, for probes and ingresses',
    z.string().optional(),
  ),
  HTTPS_KEY_PATH: setting('PEM file with the private key of that certificate', z.string().optional()),
  LISTEN_ADDRESS: setting(
    'Address of the network interface that all ports are opened on; any: all of them, of IPv6 where it is the only one',
    z
      .string()
      .min(1)
      .transform((address) => (address === 'any' ? anyAddress() : address)),
    { default: 'any' },
  ),
  METRICS_PORT: setting('Port of GET /metrics in the Prometheus text format', port, { default: '9464' }),
  LOG_LEVEL: setting(
    'Minimum level that is logged',
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    { default: 'info' },
  ),
  TRUSTED_HOPS: setting(
    'Number of proxies in front whose X-Forwarded-For is trusted; 0 uses the address of the connection',
    z.coerce.number().int().min(0).max(10),
    { default: '0' },
  ),
  RATE_LIMIT_NETWORK: setting(
    'Requests from one network (IPv4 /24, IPv6 /56) in a time, per replica: so many/in which time, or off. An ingress that does ' +
      'not see the addresses of its clients is one network',
    rateOrNone,
    { default: '60000/1m' },
  ),
  RATE_LIMIT_PERSON: setting('Requests of one person in a time, per replica', rateOrNone, { default: '30000/1m' }),
  DRAIN_DELAY: setting(
    'How long a service still serves after SIGTERM, so that load balancers can remove it',
    duration,
    { default: '5s' },
  ),
  FAULT_LATENCY: setting('Delay added to each request, to test how callers handle a slow service', duration, {
    default: '0ms',
  }),
  FAULT_ERROR_RATE: setting(
    'Share of requests, from 0 to 1, that are answered with 503, to test how callers handle a faulty service',
    z.coerce.number().min(0).max(1),
    { default: '0' },
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: setting(
    'Where traces are sent (OTLP over HTTP); without it there are none',
    z.url().optional(),
  ),
};

export const databaseSettings = {
  DATABASE_URL: setting(
    'PostgreSQL of this service: postgres://user:password@host:5432/database, with ?sslmode=verify-full&sslrootcert=… for TLS',
    z.string().regex(/^postgres(ql)?:\/\/[^/]+\/.+/, 'expected postgres://user:password@host:5432/database'),
    { secret: true },
  ),
  DATABASE_POOL_SIZE: setting(
    'Maximum number of connections of each replica, one of them for pipelined reads',
    z.coerce.number().int().min(3).max(200),
    { default: '10' },
  ),
};

/** Where both are there, `::` would take both, but show clients of IPv4 as ::ffff:1.2.3.4; such a service may be told to. */
export function anyAddress(interfaces = networkInterfaces()): string {
  const addresses = Object.values(interfaces).flatMap((found) => found ?? []);
  const reached = addresses.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  return reached.length > 0 && reached.every(({ family }) => family === 'IPv6') ? '::' : '0.0.0.0';
}
