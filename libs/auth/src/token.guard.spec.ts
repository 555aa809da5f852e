import { createHmac, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SignJWT } from 'jose';
import { createFastify, ProblemFilter, Public } from '#libs/http';
import { CONFIG } from '#libs/service';
import { AuthModule } from './auth.module.js';
import { KEY_SOURCE, type KeySource } from './key-cache.js';
import { Revocations } from './revocations.js';
import { CurrentUser, RequiresRole } from './token.guard.js';
import type { TokenUser } from './verified-tokens.js';

const config = { TOKEN_ISSUER: 'http://tasklane', TOKEN_AUDIENCE: 'tasklane', JWKS_URL: 'http://127.0.0.1:1/' };
const ours = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' });

@Controller()
class Routes {
  @Get('me')
  me(@CurrentUser() user: TokenUser) {
    return user;
  }

  @Public()
  @Get('open')
  open() {
    return {};
  }

  @RequiresRole('admin')
  @Get('admin')
  admin() {
    return {};
  }
}

@Global()
@Module({ providers: [{ provide: CONFIG, useValue: config }], exports: [CONFIG] })
class ConfigModule {}

let lookUps = 0;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const published = new Map([
  ['k1', { key: ours.publicKey, alg: undefined }],
  ['rsa', { key: rsa.publicKey, alg: 'RS256' }],
]);
const source: KeySource = {
  find: async (kid) => {
    lookUps++;
    return published.get(kid);
  },
  isFresh: (kid) => published.has(kid),
};

@Module({
  imports: [ConfigModule, AuthModule.forRoot({ keys: { provide: KEY_SOURCE, useValue: source } })],
  controllers: [Routes],
})
class AppModule {}

const now = () => Math.floor(Date.now() / 1000);
const claims = () => ({
  iss: config.TOKEN_ISSUER,
  aud: config.TOKEN_AUDIENCE,
  sub: randomUUID(),
  sid: randomUUID(),
  jti: randomUUID(),
  iat: now(),
  exp: now() + 300,
  scope: 'tasklane',
});
const sign = (payload: object, header: object = {}, key: KeyObject = ours.privateKey) =>
  new SignJWT({ ...claims(), ...payload })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1', ...header })
    .sign(key);
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

async function startApp(): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, createFastify({ trustedHops: 0 }), {
    logger: false,
  });
  app.useGlobalFilters(new ProblemFilter(() => false));
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}

describe('TokenGuard', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  const get = (url: string, token?: string) =>
    app.inject({ url, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });

  it('lets a good token through and tells who it is', async () => {
    const payload = claims();
    const response = await get('/me', await sign({ ...payload, roles: ['admin'] }));
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({
      id: payload.sub,
      sessionId: payload.sid,
      roles: ['admin'],
      scope: 'tasklane',
      issuedAt: payload.iat * 1000,
      expiresAt: payload.exp * 1000,
    });
  });

  it('checks a signature once', async () => {
    const token = await sign({});
    const before = lookUps;
    for (let i = 0; i < 5; i++) expect((await get('/me', token)).statusCode).toBe(200);
    expect(lookUps).toBe(before + 1);
  });

  const bad: [string, () => Promise<string> | string, string][] = [
    ['expired', () => sign({ exp: now() - 1 }), 'token-expired'],
    ['not yet valid', () => sign({ nbf: now() + 60 }), 'token-invalid'],
    ['signed by a stranger', () => sign({}, {}, foreign.privateKey), 'token-invalid'],
    ['of an unknown key', () => sign({}, { kid: 'k2' }), 'token-invalid'],
    ['without a kid', () => sign({}, { kid: undefined }), 'token-invalid'],
    ['of another issuer', () => sign({ iss: 'http://evil' }), 'token-invalid'],
    ['for another audience', () => sign({ aud: 'other' }), 'token-invalid'],
    ['without exp', () => sign({ exp: undefined }), 'token-invalid'],
    ['without iat', () => sign({ iat: undefined }), 'token-invalid'],
    ['without sub', () => sign({ sub: undefined }), 'token-invalid'],
    ['without sid', () => sign({ sid: undefined }), 'token-invalid'],
    ['whose sub is no UUID', () => sign({ sub: 'auth0|5f7c8ec7c33c6c004bbafe82' }), 'token-invalid'],
    ['whose roles are no list', () => sign({ roles: 'admin' }), 'token-invalid'],
    ['that lives longer than an hour', () => sign({ exp: now() + 3601 }), 'token-invalid'],
    ['from the future', () => sign({ iat: now() + 3600, exp: now() + 7200 }), 'token-invalid'],
    [
      'with an algorithm that its key is not for',
      () => sign({}, { kid: 'rsa', alg: 'PS256' }, rsa.privateKey),
      'token-invalid',
    ],
    ['that is an ID token', () => sign({}, { typ: 'JWT' }), 'token-invalid'],
    [
      'with alg none',
      () => `${encode({ alg: 'none', typ: 'at+jwt', kid: 'k1' })}.${encode(claims())}.`,
      'token-invalid',
    ],
    [
      'signed with the public key as a shared secret',
      () => {
        const body = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' })}.${encode(claims())}`;
        const pem = ours.publicKey.export({ type: 'spki', format: 'pem' });
        return `${body}.${createHmac('sha256', pem).update(body).digest('base64url')}`;
      },
      'token-invalid',
    ],
    [
      'with a changed payload',
      async () => (await sign({})).replace(/\.[^.]+\./, `.${encode(claims())}.`),
      'token-invalid',
    ],
    ['malformed', () => 'not-a-token', 'token-invalid'],
    ['malformed in three parts', () => 'a.b.c', 'token-invalid'],
    ['empty', () => '', 'token-missing'],
  ];
  it.each(bad)('refuses a token %s', async (_name, token, code) => {
    const response = await get('/me', await token());
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toContain('Bearer');
    expect(response.json()).toMatchObject({ code });
  });

  it('takes the algorithm that the key is for', async () => {
    expect((await get('/me', await sign({}, { kid: 'rsa', alg: 'RS256' }, rsa.privateKey))).statusCode).toBe(200);
  });

  it.each([['read:mail'], ['tasklane2 nottasklane'], [''], [undefined]])(
    'refuses a token of the scope %p',
    async (scope?: string) => {
      const response = await get('/me', await sign({ scope }));
      expect([response.statusCode, response.json().code]).toEqual([403, 'scope-missing']);
    },
  );

  it('a remembered token does not outlive its withdrawn key', async () => {
    published.set('k2', { key: ours.publicKey, alg: undefined });
    const token = await sign({}, { kid: 'k2' });
    expect((await get('/me', token)).statusCode).toBe(200);
    published.delete('k2');
    expect((await get('/me', token)).json()).toMatchObject({ status: 401, code: 'token-invalid' });
  });

  it('a remembered token ends when it expires', async () => {
    const token = await sign({ exp: now() + 1 });
    expect((await get('/me', token)).statusCode).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect((await get('/me', token)).json()).toMatchObject({ code: 'token-expired' });
  });

  it('a revoked session ends at once, also for remembered tokens', async () => {
    const sid = randomUUID();
    const token = await sign({ sid });
    expect((await get('/me', token)).statusCode).toBe(200);
    app.get(Revocations).add(sid, new Date(Date.now() + 60_000));
    expect((await get('/me', token)).json()).toMatchObject({ status: 401, code: 'token-revoked' });
    expect((await get('/me', await sign({ sid }))).json()).toMatchObject({ code: 'token-revoked' });
  });

  it('opens public routes to everybody and role routes to the role', async () => {
    expect((await get('/open')).statusCode).toBe(200);
    expect((await get('/me')).json()).toMatchObject({ status: 401, code: 'token-missing' });
    expect((await get('/admin', await sign({}))).json()).toMatchObject({ status: 403, code: 'role-missing' });
    expect((await get('/admin', await sign({ roles: ['admin'] }))).statusCode).toBe(200);
  });
});

describe('TokenGuard for the tokens of another issuer', () => {
  const keycloak = { TOKEN_TYPE: 'JWT', TOKEN_SCOPE: 'profile', TOKEN_MAX_LIFE: 60_000 };
  let app: NestFastifyApplication;
  beforeAll(async () => {
    Object.assign(config, keycloak);
    app = await startApp();
  });
  afterAll(() => app.close());

  const status = async (payload: object, header: object) => {
    const token = await sign({ scope: 'openid profile', exp: now() + 60, ...payload }, { typ: 'JWT', ...header });
    return (await app.inject({ url: '/me', headers: { authorization: `Bearer ${token}` } })).statusCode;
  };

  it('takes its type, its scope and its length of life', async () => {
    expect(await status({}, {})).toBe(200);
    expect(await status({}, { typ: 'at+jwt' })).toBe(401);
    expect(await status({ scope: 'tasklane' }, {})).toBe(403);
    expect(await status({ exp: now() + 62 }, {})).toBe(401);
  });
});
