import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import { Keys } from '../src/keys/keys.service.js';
import { newUser, type Person, type Request, UsersFixture } from './users-fixture.js';

const STRANGE_ID = '01998d2f-6c1e-7b3a-9f00-5a1b2c3d4e5f';

describe('bad input is answered by a problem with a stable code', () => {
  let fixture: UsersFixture;
  let admin: Person;
  let ada: Person;

  beforeAll(async () => {
    fixture = await UsersFixture.start();
    [admin, ada] = await Promise.all([fixture.admin(), fixture.person({ email: 'ada@example.com' })]);
  });
  afterAll(() => fixture.close());

  const send = async (method: string, path: string, request: Request) => {
    const answer = await fixture.send(method, path, request);
    const { status, code, instance, requestId, type } = answer.body;
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect([status, instance]).toEqual([answer.status, `/api/v1${path.split('?')[0]}`]);
    expect([type, requestId]).toEqual([`urn:tasklane:problem:${code}`, answer.headers.get('x-request-id')]);
    expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.js:|SELECT|INSERT/);
    return answer;
  };

  it.each<[string, Record<string, unknown> | string | undefined, number, string, ...string[]]>([
    ['invalid JSON', '{"email":', 400, 'invalid-json'],
    ['no body', undefined, 400, 'invalid-input'],
    ['an array', '[]', 400, 'invalid-input'],
    ['null', 'null', 400, 'invalid-input', ''],
    ['an unknown field', newUser({ roles: ['admin'] }), 400, 'invalid-input', ''],
    ['a number for a name', newUser({ firstName: 7 }), 400, 'invalid-input', 'firstName'],
    ['an empty name', newUser({ firstName: '' }), 400, 'invalid-input', 'firstName'],
    ['a name of spaces', newUser({ lastName: '   ' }), 400, 'invalid-input', 'lastName'],
    ['a name of 101 characters', newUser({ lastName: 'x'.repeat(101) }), 400, 'invalid-input', 'lastName'],
    ['a name with a line break', newUser({ firstName: 'Ada\nBcc: x' }), 400, 'invalid-input', 'firstName'],
    ['a name that cannot be seen', newUser({ firstName: '\u200b\u200d' }), 400, 'invalid-input', 'firstName'],
    ['a name that turns text around', newUser({ lastName: 'a\u202eb' }), 400, 'invalid-input', 'lastName'],
    ['a name with a NUL', newUser({ firstName: 'Ada\u0000' }), 400, 'invalid-input', 'firstName'],
    ['an age as text', newUser({ age: '36' }), 400, 'invalid-input', 'age'],
    ['a negative age', newUser({ age: -1 }), 400, 'invalid-input', 'age'],
    ['an age of 151', newUser({ age: 151 }), 400, 'invalid-input', 'age'],
    ['half a year', newUser({ age: 36.5 }), 400, 'invalid-input', 'age'],
    ['a text for a flag', newUser({ clubMember: 'yes' }), 400, 'invalid-input', 'clubMember'],
    ['an unknown language', newUser({ language: 'xx' }), 400, 'invalid-input', 'language'],
    ['no e-mail address', newUser({ email: undefined }), 400, 'invalid-input', 'email'],
    ['half an e-mail address', newUser({ email: 'ada@' }), 400, 'invalid-input', 'email'],
    ['an e-mail address of 255', newUser({ email: `${'x'.repeat(243)}@example.com` }), 400, 'invalid-input', 'email'],
    ['a second recipient', newUser({ email: 'a@example.com\nbcc:b@example.com' }), 400, 'invalid-input', 'email'],
    ['two addresses', newUser({ email: 'a@example.com, b@example.com' }), 400, 'invalid-input', 'email'],
    ['a number as a password', newUser({ password: 12_345_678_901_234 }), 400, 'invalid-input', 'password'],
    ['a short password', newUser({ password: 'elevenchars' }), 400, 'invalid-input', 'password'],
    [
      'a password of 129',
      newUser({ password: 'correct horse '.padEnd(129, 'abcdefghij') }),
      400,
      'invalid-input',
      'password',
    ],
    ['a common password', newUser({ password: 'password1234' }), 400, 'invalid-input', 'password'],
    ['an id of their choice', newUser({ id: STRANGE_ID }), 400, 'invalid-input', ''],
    ['an address that is taken', newUser({ email: 'ADA@example.com' }), 409, 'email-taken'],
    ['2 MB', newUser({ firstName: 'x'.repeat(2 * 1024 * 1024) }), 413, 'body-too-large'],
    ['a prototype', '{"__proto__":{"admin":true}}', 400, 'invalid-json'],
  ])('POST /users with %s', async (_case, body, status, code, ...paths) => {
    const answer = await send('POST', '/users', { body });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    if (paths.length > 0) expect(answer.body.errors.map(({ path }: { path: string }) => path)).toEqual(paths);
  });

  it('names every fault of a body at once', async () => {
    const { body } = await send('POST', '/users', { body: { email: 'ada', age: -1, extra: 1 } });
    const paths = body.errors.map(({ path }: { path: string }) => path).sort();
    expect(paths).toEqual(['', 'age', 'email', 'firstName', 'lastName', 'password']);
  });

  it.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'the media type %s',
    async (type) => {
      const answer = await send('POST', '/users', { body: 'email=ada', headers: { 'content-type': type } });
      expect([answer.status, answer.body.code]).toEqual([415, 'unsupported-media-type']);
    },
  );

  it.each([
    ['GET', '/users/not-a-uuid', undefined, 400, 'invalid-input'],
    ['GET', `/users/${STRANGE_ID}`, undefined, 404, 'user-not-found'],
    ['PUT', `/users/${STRANGE_ID}`, { firstName: 'A', lastName: 'B' }, 404, 'user-not-found'],
    ['PATCH', `/users/${STRANGE_ID}`, {}, 404, 'user-not-found'],
    ['DELETE', `/users/${STRANGE_ID}`, undefined, 404, 'user-not-found'],
    ['GET', '/users?cursor=nonsense', undefined, 400, 'bad-cursor'],
    ['GET', '/users?cursor=IjEi', undefined, 400, 'bad-cursor'],
    ['GET', '/users?limit=0', undefined, 400, 'invalid-input'],
    ['GET', '/users?limit=201', undefined, 400, 'invalid-input'],
    ['GET', '/users?limit=ten', undefined, 400, 'invalid-input'],
    ['GET', '/users?page=2', undefined, 400, 'invalid-input'],
    ['PUT', '/users/me', { firstName: 'A' }, 400, 'invalid-input'],
    ['PUT', '/users/me', { firstName: 'A', lastName: 'B', email: 'new@example.com' }, 400, 'invalid-input'],
    ['PATCH', '/users/me', { firstName: null }, 400, 'invalid-input'],
    ['PATCH', '/users/me', { email: 'new@example.com' }, 400, 'invalid-input'],
    ['PATCH', '/users/me', { password: 'another passphrase' }, 400, 'invalid-input'],
    ['GET', '/nowhere', undefined, 404, 'route-not-found'],
    ['POST', '/users/me', {}, 405, 'method-not-allowed'],
  ])('%s %s with %j by an administrator', async (method, path, body, status, code) => {
    const answer = await send(method, path, { token: admin.accessToken, body });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it.each(['3', '"x"', 'W/"', '"1", "2"'])('If-Match: %s', async (etag) => {
    const request = { token: ada.accessToken, body: {}, headers: { 'If-Match': etag } };
    const answer = await send('PATCH', '/users/me', request);
    expect([answer.status, answer.body.code]).toEqual([400, 'bad-if-match']);
  });

  describe('a token', () => {
    const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const forge = async (claims: JWTPayload, header: Partial<JWTHeaderParameters> = {}, key?: KeyObject) => {
      const ours = await fixture.service.app.get(Keys, { strict: false }).current();
      const now = Math.floor(Date.now() / 1000);
      const { sid } = decodeJwt(ada.accessToken);
      return new SignJWT({
        iss: 'http://tasklane',
        aud: 'tasklane',
        scope: 'tasklane',
        sub: ada.user.id,
        sid,
        iat: now,
        exp: now + 60,
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: ours.kid, ...header })
        .sign(key ?? ours.key);
    };
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const cases: Record<string, [code: string, make: () => Promise<string | undefined>]> = {
      'that is not there': ['token-missing', async () => undefined],
      'that has expired': ['token-expired', () => forge({ exp: 1, iat: 0 })],
      'of another issuer': ['token-invalid', () => forge({ iss: 'http://elsewhere' })],
      'for another audience': ['token-invalid', () => forge({ aud: 'elsewhere' })],
      'without an end': ['token-invalid', () => forge({ exp: undefined })],
      'without a session': ['token-invalid', () => forge({ sid: undefined })],
      'of nobody': ['token-invalid', () => forge({ sub: undefined })],
      'that lives for a century': ['token-invalid', () => forge({ exp: 4_900_000_000 })],
      'of another type': ['token-invalid', () => forge({}, { typ: 'JWT' })],
      'of an unknown key': ['token-invalid', () => forge({}, { kid: 'unknown' })],
      'of no key': ['token-invalid', () => forge({}, { kid: undefined })],
      'with a foreign signature': ['token-invalid', () => forge({}, {}, foreign.privateKey)],
      'signed with the public key as a secret': [
        'token-invalid',
        () => forge({}, { alg: 'HS256' }, createSecretKey(Buffer.from('the public key of everybody to see'))),
      ],
      'without signature (alg none)': [
        'token-invalid',
        async () => {
          const [header, payload] = (await forge({})).split('.').map((part) => part);
          const { kid } = JSON.parse(Buffer.from(header!, 'base64url').toString()) as { kid: string };
          return `${encode({ alg: 'none', typ: 'at+jwt', kid })}.${payload}.`;
        },
      ],
      'that is none': ['token-invalid', async () => 'nonsense'],
      'of three dots': ['token-invalid', async () => '...'],
    };

    it('that is right passes: the cases below differ from it in one thing', async () => {
      const token = await forge({});
      expect((await fixture.send('GET', '/users/me', { token })).status).toBe(200);
      expect((await fixture.send('POST', '/auth/validate', { body: { token } })).body.active).toBe(true);
    });

    it.each(Object.keys(cases))('%s', async (name) => {
      const [code, make] = cases[name]!;
      const answer = await send('GET', '/users/me', { token: await make() });
      expect([answer.status, answer.body.code]).toEqual([401, code]);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      const { body } = await fixture.send('POST', '/auth/validate', { body: { token: (await make()) ?? '' } });
      expect(body).toEqual({ active: false });
    });
  });

  it.each([
    ['/auth/login', {}],
    ['/auth/login', { email: 'ada', password: 'x' }],
    ['/auth/login', { email: 'ada@example.com', password: '' }],
    ['/auth/login', { email: 'ada@example.com', password: { $ne: '' } }],
    ['/auth/login', { email: { $ne: 1 }, password: 'x' }],
    ['/auth/refresh', {}],
    ['/auth/refresh', { refreshToken: 7 }],
    ['/auth/refresh', { refreshToken: 'x'.repeat(1025) }],
    ['/auth/validate', {}],
    ['/auth/validate', { token: null }],
  ])('POST %s with %j', async (path, body) => {
    const answer = await send('POST', path, { body });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-input']);
  });
});
