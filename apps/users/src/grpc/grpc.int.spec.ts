import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type ChannelCredentials,
  type Client,
  credentials,
  loadPackageDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { usersProto } from '#libs/contracts';
import { loadSettings, SettingsError } from '#libs/service';
import { scratchDirectory } from '#libs/testing';
import { UsersFixture } from '../../test/users-fixture.js';
import { settings } from '../config.js';
import { grpcServer } from './grpc-server.js';

type Call = (request: object, answer: (error: ServiceError | null, reply: Record<string, unknown>) => void) => void;
type Method = 'ValidateToken' | 'GetUser' | 'FindByEmail';
type Users = Client & Record<Method, Call>;

function clientOf({ service }: UsersFixture, channel: ChannelCredentials): Users {
  const definition = loadPackageDefinition(loadSync(usersProto, { longs: Number, defaults: true, arrays: true }));
  const { Users: Remote } = (definition as never as { users: { v1: { Users: new (...args: unknown[]) => Users } } })
    .users.v1;
  return new Remote(`127.0.0.1:${service.env.GRPC_PORT}`, channel);
}

const ask = (client: Users, method: Method, request: object) =>
  new Promise<Record<string, unknown>>((resolve, reject) => {
    client[method](request, (error, reply) => (error ? reject(error) : resolve(reply)));
  });

describe('users.v1 over gRPC', () => {
  let fixture: UsersFixture;
  let client: Users;

  beforeAll(async () => {
    fixture = await UsersFixture.start();
    client = clientOf(fixture, credentials.createInsecure());
  });
  afterAll(async () => {
    client.close();
    await fixture.close();
  });

  const call = (method: Method, request: object) => ask(client, method, request);

  it('shows an account by its id and by its address, however written', async () => {
    const { version, ...user } = await fixture.register({ age: 0, clubMember: true, language: 'de' });
    const expected = expect.objectContaining({ ...user, version });
    expect(await call('GetUser', { id: user.id })).toEqual(expected);
    expect(await call('FindByEmail', { email: ` ${user.email.toUpperCase()} ` })).toEqual(expected);
  });

  it('tells an unknown age from none', async () => {
    const { id } = await fixture.register();
    expect(await call('GetUser', { id })).not.toHaveProperty('age', 0);
  });

  it('validates tokens', async () => {
    const { user, accessToken } = await fixture.person();
    const reply = await call('ValidateToken', { token: accessToken });
    expect(reply).toMatchObject({ active: true, sub: user.id, exp: expect.any(Number), scope: 'tasklane' });
    expect(await call('ValidateToken', { token: 'nonsense' })).toMatchObject({ active: false, sub: '' });
  });

  it.each([
    ['GetUser', { id: '01998d2f-6c1e-7b3a-9f00-5a1b2c3d4e5f' }, status.NOT_FOUND],
    ['GetUser', { id: 'nonsense' }, status.INVALID_ARGUMENT],
    ['GetUser', {}, status.INVALID_ARGUMENT],
    ['FindByEmail', { email: 'nobody@example.com' }, status.NOT_FOUND],
    ['FindByEmail', { email: 'nobody' }, status.INVALID_ARGUMENT],
  ] as const)('answers %s %j by a status', async (method, request, code) => {
    await expect(call(method, request)).rejects.toMatchObject({ code });
  });
});

const openssl = spawnSync('openssl', ['version']).status === 0;
if (!openssl) process.stderr.write('callers over mutual TLS are not tested, as there is no openssl\n');

(openssl ? describe : describe.skip)('users.v1 over mutual TLS', () => {
  const directory = scratchDirectory('grpc-tls');
  const file = (name: string) => join(directory, name);
  const run = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  const key = (name: string) => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    file(`${name}.key`),
  ];
  /** A certificate of our CA whose subject says "todos", whatever its names are. */
  const certify = (name: string, names: string) => {
    run(
      'req',
      '-x509',
      ...key(name),
      '-out',
      file(`${name}.crt`),
      '-days',
      '1',
      '-subj',
      '/CN=todos',
      '-addext',
      `subjectAltName=${names}`,
      '-addext',
      'basicConstraints=critical,CA:FALSE',
      '-CA',
      file('ca.crt'),
      '-CAkey',
      file('ca.key'),
    );
  };
  let fixture: UsersFixture;

  beforeAll(async () => {
    run('req', '-x509', ...key('ca'), '-out', file('ca.crt'), '-days', '1', '-subj', '/CN=CA');
    certify('users', 'DNS:users,IP:127.0.0.1');
    certify('todos', 'DNS:todos,DNS:localhost');
    certify('mailpit', 'DNS:mailpit,DNS:localhost');
    fixture = await UsersFixture.start({
      GRPC_TLS_CERT_PATH: file('users.crt'),
      GRPC_TLS_KEY_PATH: file('users.key'),
      GRPC_TLS_CA_PATH: file('ca.crt'),
      GRPC_ALLOWED_CALLERS: 'todos',
    });
  });
  afterAll(async () => {
    await fixture.close();
    rmSync(directory, { recursive: true });
  });

  it.each([
    ['todos', undefined],
    ['mailpit', status.PERMISSION_DENIED],
  ])('answers the certificate of %s with the status %p', async (name, refused) => {
    const read = (path: string) => readFileSync(file(path));
    const client = clientOf(fixture, credentials.createSsl(read('ca.crt'), read(`${name}.key`), read(`${name}.crt`)));
    const { email } = await fixture.register();
    const code = await ask(client, 'FindByEmail', { email }).then(
      (user) => (user.email === email ? undefined : 'another'),
      (error: ServiceError) => error.code,
    );
    client.close();
    expect(code).toBe(refused);
  });
});

describe('TLS of the gRPC server', () => {
  const config = (env: Record<string, string>) =>
    loadSettings(settings, {
      DATABASE_URL: 'postgres://localhost/users',
      KAFKA_BROKERS: 'localhost:9092',
      TOKEN_SECRET: 'a secret of at least thirty-two characters',
      ...env,
    });

  it.each([
    [{ GRPC_TLS_CERT_PATH: '/cert.pem' }, 'belong together'],
    [{ GRPC_TLS_CA_PATH: '/ca.pem' }, 'needs both'],
    [{ GRPC_ALLOWED_CALLERS: 'todos' }, 'needs GRPC_TLS_CA_PATH'],
    [{ GRPC_TLS_CERT_PATH: '/no/cert.pem', GRPC_TLS_KEY_PATH: '/no/key.pem' }, 'GRPC_TLS_CERT_PATH: ENOENT'],
  ])('of %j stops the start', (env: Record<string, string>, reason) => {
    expect(() => grpcServer(config(env))).toThrow(SettingsError);
    expect(() => grpcServer(config(env))).toThrow(reason);
  });
});
