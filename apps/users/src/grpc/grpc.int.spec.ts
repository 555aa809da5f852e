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
import { hasOpenssl, SecretVolume, TestAuthority, waitFor } from '#libs/testing';
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

(hasOpenssl ? describe : describe.skip)('users.v1 over mutual TLS', () => {
  let authority: TestAuthority;
  let volume: SecretVolume;
  let fixture: UsersFixture;
  let email: string;

  beforeAll(async () => {
    authority = new TestAuthority();
    volume = new SecretVolume(authority.issue('IP:127.0.0.1'));
    fixture = await UsersFixture.start({
      GRPC_TLS_CERT_PATH: volume.path('tls.crt'),
      GRPC_TLS_KEY_PATH: volume.path('tls.key'),
      GRPC_TLS_CA_PATH: volume.path('ca.crt'),
      GRPC_ALLOWED_CALLERS: 'todos',
    });
    ({ email } = await fixture.register());
  });
  afterAll(async () => {
    await fixture.close();
    volume.remove();
    authority.remove();
  });

  /** The status of an answer to a caller with a certificate of these names by `issuer`; undefined for success. */
  const callAs = async (issuer: TestAuthority, names: string) => {
    // Its subject says "todos", whatever its names are.
    const { 'ca.crt': ca, 'tls.key': key, 'tls.crt': crt } = issuer.issue(names, { subject: 'todos' });
    const channel = credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(crt));
    const client = clientOf(fixture, channel);
    const code = await ask(client, 'FindByEmail', { email }).then(
      (user) => (user.email === email ? undefined : 'another'),
      (error: ServiceError) => error.code,
    );
    client.close();
    return code;
  };

  it.each([
    ['DNS:todos,DNS:localhost', undefined],
    ['DNS:mailpit,DNS:localhost', status.PERMISSION_DENIED],
  ])('answers a certificate with the names %s with the status %p', async (names, refused) => {
    expect(await callAs(authority, names)).toBe(refused);
  });

  it('takes a renewed certificate and a new authority without a restart', async () => {
    const next = new TestAuthority();
    expect(await callAs(next, 'DNS:todos')).toBe(status.UNAVAILABLE);
    volume.write(next.issue('IP:127.0.0.1'));
    await waitFor(async () => (await callAs(next, 'DNS:todos')) === undefined, { timeout: 10_000, interval: 200 });
    expect(await callAs(authority, 'DNS:todos')).toBe(status.UNAVAILABLE);
    next.remove();
  }, 20_000);
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
