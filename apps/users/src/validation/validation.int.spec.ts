import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { authValidate, type TokenIntrospection } from '#libs/contracts';
import { KafkaRequester } from '#libs/messaging';
import { UsersFixture } from '../../test/users-fixture.js';

describe('the validation of tokens', () => {
  let fixture: UsersFixture;

  beforeAll(async () => {
    fixture = await UsersFixture.start();
  });
  afterAll(() => fixture.close());

  const overHttp = async (token: string): Promise<TokenIntrospection> =>
    (await fixture.send('POST', '/auth/validate', { body: { token } })).body;
  const overKafka = (token: string): Promise<TokenIntrospection> =>
    fixture.service.app.get(KafkaRequester).request(authValidate, { token }, { timeout: 30_000 });

  it.each([
    ['HTTP', overHttp],
    ['Kafka', overKafka],
  ])('over %s tells whose a token is', async (_way, validate) => {
    const { user, accessToken } = await fixture.person();
    const { sid, exp, iat } = decodeJwt(accessToken);
    expect(await validate(accessToken)).toEqual({
      active: true,
      sub: user.id,
      sid,
      exp,
      iat,
      iss: 'http://tasklane',
      aud: 'tasklane',
      scope: 'tasklane',
      token_type: 'Bearer',
    });
  });

  it.each([
    ['HTTP', overHttp],
    ['Kafka', overKafka],
  ])('over %s says nothing about a token that is none', async (_way, validate) => {
    for (const token of ['nonsense', 'a.b.c', `${(await fixture.person()).accessToken}x`]) {
      expect(await validate(token)).toEqual({ active: false });
    }
  });

  it.each<[string, (token: string) => Promise<unknown>]>([
    ['its session was logged out', (token) => fixture.send('POST', '/auth/logout', { token })],
    ['its account was erased', (token) => fixture.send('DELETE', '/users/me', { token })],
    [
      'its session has ended by time',
      (token) =>
        fixture.dataSource.query('UPDATE sessions SET expires_at = now() WHERE id = $1', [decodeJwt(token)['sid']]),
    ],
  ])('knows at once that %s', async (_case, end) => {
    const { accessToken } = await fixture.person();
    await end(accessToken);
    expect(await overHttp(accessToken)).toEqual({ active: false });
  });

  it('takes an empty text for a token that is none', async () => {
    expect(await overHttp('')).toEqual({ active: false });
  });
});
