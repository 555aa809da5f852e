import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, HttpCode, Ip, Module, Param, Post, Put, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type NestFastifyApplication, RouteConfig } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { createDatabase } from '#libs/testing';
import { Cached } from './caching.js';
import { createFastify, installHttpDefaults } from './fastify.js';
import { IdempotencyKeys1767225600001, IdempotencyOwner1767225650000 } from './idempotency-keys.js';
import { IdempotencyKey, Once } from './once.js';
import { pageQuery } from './page.js';
import { Problem } from './problem.js';
import { ProblemFilter } from './problem.filter.js';
import { validationPipe } from './validation.js';
import { assertVersion, IfMatch } from './versions.js';

const news = ['first'];
const note = z.strictObject({ text: z.string().max(5), wait: z.number().optional() });

@Controller('notes')
class NotesController {
  constructor(private readonly dataSource: DataSource) {}

  @Get('one')
  one() {
    return { id: 'one', version: 3 };
  }

  @Get()
  list(@Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>) {
    return { items: [], nextCursor: null, limit: query.limit };
  }

  @Post()
  @RouteConfig({ location: '/notes/' })
  create(@Body({ schema: note }) body: z.infer<typeof note>, @IdempotencyKey() once: Once) {
    return this.dataSource.transaction((tx) =>
      once.run(tx, async () => {
        if (body.wait) await new Promise((resolve) => setTimeout(resolve, body.wait));
        const [row] = await tx.query<[{ id: string }]>('INSERT INTO notes (text) VALUES ($1) RETURNING id::text', [
          body.text,
        ]);
        if (body.text === 'fail') throw new Problem(409, 'taken', 'It is taken.');
        return { id: row.id, version: 1, text: body.text };
      }),
    );
  }

  @Put('one')
  @HttpCode(200)
  edit(@IfMatch() expected: number | undefined) {
    assertVersion(expected, { version: 3 });
    return { id: 'one', version: 4 };
  }

  @Put(':id')
  replace(@Param('id') id: string) {
    return { id };
  }

  @Get('address')
  address(@Ip() ip: string) {
    return { ip };
  }

  @Get('news')
  @Cached('public, max-age=300')
  news() {
    if (news.length === 0) throw new Problem(404, 'no-news', 'There are none.');
    return { news };
  }

  @Get('down')
  down() {
    throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:5432'), { code: 'ECONNREFUSED' });
  }

  @Get('broken')
  broken() {
    throw new Error('SELECT password FROM users');
  }
}

describe('http', () => {
  let app: NestFastifyApplication;
  let dataSource: DataSource;
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let draining = false;

  beforeAll(async () => {
    database = await createDatabase();
    dataSource = await new DataSource({
      type: 'postgres',
      url: database.url,
      migrations: [IdempotencyKeys1767225600001, IdempotencyOwner1767225650000],
      migrationsRun: true,
    }).initialize();
    await dataSource.query('CREATE TABLE notes (id serial PRIMARY KEY, text text)');
    @Module({ controllers: [NotesController], providers: [{ provide: DataSource, useValue: dataSource }] })
    class NotesModule {}
    const adapter = createFastify({ trustedHops: 1 });
    app = await NestFactory.create<NestFastifyApplication>(NotesModule, adapter, { bodyParser: false, logger: false });
    app.useGlobalPipes(validationPipe({}));
    app.useGlobalFilters(new ProblemFilter((error) => (error as { code?: string }).code === 'ECONNREFUSED'));
    installHttpDefaults(adapter.getInstance(), () => draining);
    await app.init();
    await adapter.getInstance().ready();
  });
  afterAll(async () => {
    await app.close();
    await dataSource.destroy();
    await database.drop();
  });

  const post = (payload: unknown, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/notes', payload: payload as object, headers });
  const count = async () => (await dataSource.query<[{ n: number }]>('SELECT count(*)::int AS n FROM notes'))[0].n;

  describe('errors', () => {
    const json = { 'content-type': 'application/json' };
    const keyed = { ...json, 'idempotency-key': 'deep' };
    const notUtf8 = Buffer.from('{"text":"\xff"}', 'latin1');
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    const deepObject = `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`;
    it.each([
      ['broken JSON', { method: 'POST', url: '/notes', headers: json, payload: '{"text' }, 400, 'invalid-json'],
      ['an empty body', { method: 'POST', url: '/notes' }, 400, 'invalid-input'],
      ['an empty JSON body', { method: 'POST', url: '/notes', headers: json, payload: '' }, 400, 'invalid-json'],
      ['__proto__', { method: 'POST', url: '/notes', headers: json, payload: '{"__proto__":{}}' }, 400, 'invalid-json'],
      ['an unknown field', { method: 'POST', url: '/notes', payload: { text: 'a', x: 1 } }, 400, 'invalid-input'],
      ['a wrong type', { method: 'POST', url: '/notes', payload: { text: 1 } }, 400, 'invalid-input'],
      ['an array', { method: 'POST', url: '/notes', payload: [] }, 400, 'invalid-input'],
      [
        'another media type',
        { method: 'POST', url: '/notes', headers: { 'content-type': 'text/plain' }, payload: 'a' },
        415,
        'unsupported-media-type',
      ],
      [
        'a form',
        {
          method: 'POST',
          url: '/notes',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          payload: 'a=b',
        },
        415,
        'unsupported-media-type',
      ],
      ['2 MB', { method: 'POST', url: '/notes', headers: json, payload: 'a'.repeat(2e6) }, 413, 'body-too-large'],
      ['an unknown route', { method: 'GET', url: '/nothing' }, 404, 'route-not-found'],
      ['another method', { method: 'DELETE', url: '/notes' }, 405, 'method-not-allowed'],
      ['another method of an item', { method: 'PATCH', url: '/notes/1' }, 405, 'method-not-allowed'],
      [
        'bytes that are no UTF-8',
        { method: 'POST', url: '/notes', headers: json, payload: notUtf8 },
        400,
        'invalid-encoding',
      ],
      ['deep JSON', { method: 'POST', url: '/notes', headers: keyed, payload: deep }, 400, 'json-too-deep'],
      ['deep objects', { method: 'POST', url: '/notes', headers: keyed, payload: deepObject }, 400, 'json-too-deep'],
      ['a limit too high', { method: 'GET', url: '/notes?limit=201' }, 400, 'invalid-input'],
      ['an unknown parameter', { method: 'GET', url: '/notes?sort=x' }, 400, 'invalid-input'],
      ['a broken address', { method: 'GET', url: '/notes/%zz' }, 400, 'bad-request'],
      ['a broken If-Match', { method: 'PUT', url: '/notes/one', headers: { 'if-match': '3' } }, 400, 'bad-if-match'],
      ['a database that is down', { method: 'GET', url: '/notes/down' }, 503, 'unavailable'],
      ['a fault of ours', { method: 'GET', url: '/notes/broken' }, 500, 'internal'],
    ] as const)('%s', async (_name, request, status, code) => {
      const response = await app.inject(request as never);
      expect(response.statusCode).toBe(status);
      expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      const body = response.json<Record<string, unknown>>();
      expect(body).toMatchObject({
        status,
        code,
        instance: request.url.split('?')[0],
        type: `urn:tasklane:problem:${code}`,
      });
      expect(body['title']).toEqual(expect.any(String));
      expect(response.body).not.toMatch(/SELECT|ECONNREFUSED|at .*\.ts/);
      if (status === 503) expect(response.headers['retry-after']).toBe('2');
      if (code === 'invalid-input') expect(body['errors']).toEqual(expect.arrayContaining([expect.anything()]));
    });
  });

  describe('methods', () => {
    it.each([
      ['/notes', 'GET, HEAD, POST, OPTIONS'],
      ['/notes/one', 'GET, HEAD, PUT, OPTIONS'],
      ['/notes/7?a=b', 'PUT, OPTIONS'],
    ])('%s allows %s', async (url, allow) => {
      const options = await app.inject({ method: 'OPTIONS', url });
      expect([options.statusCode, options.headers['allow'], options.body]).toEqual([204, allow, '']);
      const refused = await app.inject({ method: 'DELETE', url });
      expect([refused.statusCode, refused.headers['allow']]).toEqual([405, allow]);
    });

    it('an address that is not there has none', async () => {
      const { statusCode, headers } = await app.inject({ method: 'OPTIONS', url: '/notes/1/2' });
      expect([statusCode, headers['allow']]).toEqual([404, undefined]);
    });

    it('HEAD answers as GET, without the body', async () => {
      const head = await app.inject({ method: 'HEAD', url: '/notes/one' });
      expect([head.statusCode, head.headers['etag'], head.body]).toEqual([200, '"3"', '']);
      const again = await app.inject({ method: 'HEAD', url: '/notes/one', headers: { 'if-none-match': '"3"' } });
      expect(again.statusCode).toBe(304);
    });
  });

  it.each([
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers-too-large',
    ],
    ['what is no HTTP', 'HELO example.com\r\n\r\n', 400, 'bad-request'],
  ])('%s: the answer is a problem', async (_what, bytes, status, code) => {
    await app.listen(0, '127.0.0.1').catch(() => undefined);
    const socket = connect(Number(new URL(await app.getUrl()).port), '127.0.0.1');
    socket.write(bytes);
    const [head, body] = (await text(socket)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*content-type: application/problem`, 'i'));
    expect(JSON.parse(body!)).toMatchObject({ status, code, type: `urn:tasklane:problem:${code}` });
  });

  it('a body that is too large is read to its end, so that its sender gets the answer', async () => {
    await app.listen(0, '127.0.0.1').catch(() => undefined);
    const headers = { 'content-type': 'application/json', 'content-length': 2_000_000 };
    const upload = request(`${await app.getUrl()}/notes`, { method: 'POST', headers });
    let answered = false;
    const answer = new Promise<IncomingMessage>((resolve, reject) =>
      upload.on('response', resolve).on('error', reject),
    );
    void answer.then(() => (answered = true));
    upload.write('a'.repeat(1_500_000));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(answered).toBe(false);
    upload.end('a'.repeat(500_000));
    expect((await answer).statusCode).toBe(413);
  });

  describe('request ids', () => {
    it('are kept when harmless and made otherwise', async () => {
      const given = await app.inject({ url: '/notes/one', headers: { 'x-request-id': 'abc-1' } });
      expect(given.headers['x-request-id']).toBe('abc-1');
      const evil = await app.inject({ url: '/notes/one', headers: { 'x-request-id': 'a b{"' } });
      expect(evil.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
      const failed = await app.inject({ url: '/notes/broken', headers: { 'x-request-id': 'abc-2' } });
      expect(failed.json<{ requestId: string }>().requestId).toBe('abc-2');
    });
  });

  describe('versions', () => {
    it('a resource has an ETag and answers 304 to the one who has it', async () => {
      const first = await app.inject('/notes/one');
      expect(first.headers['etag']).toBe('"3"');
      for (const header of ['"3"', 'W/"3"', '"1", "3"', '*']) {
        const again = await app.inject({ url: '/notes/one', headers: { 'if-none-match': header } });
        expect([again.statusCode, again.body]).toEqual([304, '']);
      }
      const other = await app.inject({ url: '/notes/one', headers: { 'if-none-match': '"2"' } });
      expect(other.statusCode).toBe(200);
    });

    it('a resource may be kept by whom it belongs to, to be revalidated; anything else by nobody', async () => {
      const kept = { 'cache-control': 'private, no-cache', vary: 'Authorization' };
      for (const headers of [{}, { 'if-none-match': '"3"' }]) {
        expect((await app.inject({ url: '/notes/one', headers })).headers).toMatchObject(kept);
      }
      const others = ['/notes', '/notes/broken', '/nowhere'].map((url) => app.inject(url));
      const edit = app.inject({ method: 'PUT', url: '/notes/one' });
      for (const { headers } of await Promise.all([...others, edit])) {
        expect([headers['cache-control'], headers['vary']]).toEqual(['no-store', undefined]);
      }
    });

    it('an answer that says how it may be kept has an ETag made of its body', async () => {
      const ask = (etag = '"none"', method: 'GET' | 'HEAD' = 'GET') =>
        app.inject({ method, url: '/notes/news', headers: { 'if-none-match': etag } });
      const first = await ask();
      const etag = first.headers['etag'] as string;
      expect([first.statusCode, first.json()]).toEqual([200, { news: ['first'] }]);
      expect([first.headers['cache-control'], first.headers['vary']]).toEqual(['public, max-age=300', undefined]);
      const again = await ask(etag);
      expect([again.statusCode, again.body, again.headers['etag']]).toEqual([304, '', etag]);
      expect([again.headers['content-type'], again.headers['content-length']]).toEqual([undefined, undefined]);
      expect((await ask(etag, 'HEAD')).statusCode).toBe(304);
      news.push('second');
      const other = await ask(etag);
      expect([other.statusCode, other.json(), other.headers['etag'] === etag]).toEqual([
        200,
        { news: ['first', 'second'] },
        false,
      ]);
      news.length = 0;
      const none = await ask('*');
      expect([none.statusCode, none.headers['cache-control'], none.headers['etag']]).toEqual([
        404,
        'no-store',
        undefined,
      ]);
    });

    it('an edit of an older version is a 412 with the present state', async () => {
      const edit = (etag?: string) =>
        app.inject({ method: 'PUT', url: '/notes/one', headers: etag ? { 'if-match': etag } : {} });
      expect((await edit('"2"')).statusCode).toBe(412);
      expect((await edit('"2"')).json()).toMatchObject({ code: 'version-conflict', current: { version: 3 } });
      for (const etag of ['"3"', '*', undefined]) expect((await edit(etag)).statusCode).toBe(200);
    });
  });

  describe('Idempotency-Key', () => {
    it('gives the first answer again and does the work once', async () => {
      const before = await count();
      const first = await post({ text: 'a' }, { 'idempotency-key': 'k1' });
      const again = await post({ text: 'a' }, { 'idempotency-key': 'k1' });
      expect([first.statusCode, again.statusCode]).toEqual([201, 201]);
      expect(again.json()).toEqual(first.json());
      expect(again.headers['location']).toBe(first.headers['location']);
      expect(again.headers['idempotency-replayed']).toBe('true');
      expect(await count()).toBe(before + 1);
    });

    it('refuses the key with another body', async () => {
      await post({ text: 'a' }, { 'idempotency-key': 'k2' });
      const other = await post({ text: 'b' }, { 'idempotency-key': 'k2' });
      expect([other.statusCode, other.json<{ code: string }>().code]).toEqual([422, 'idempotency-key-reused']);
    });

    it('answers 409 while the first is at work', async () => {
      const answers = await Promise.all(
        [1, 2, 3].map(() => post({ text: 'a', wait: 200 }, { 'idempotency-key': 'k3' })),
      );
      expect(answers.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([201, 409, 409]);
    });

    it('a failed attempt keeps nothing, so the key can be tried again', async () => {
      const before = await count();
      expect((await post({ text: 'fail' }, { 'idempotency-key': 'k4' })).statusCode).toBe(409);
      expect(await count()).toBe(before);
      expect((await post({ text: 'b' }, { 'idempotency-key': 'k4' })).statusCode).toBe(201);
    });

    it('is forgotten after a day', async () => {
      await post({ text: 'a' }, { 'idempotency-key': 'k5' });
      await dataSource.query(`UPDATE idempotency_keys SET created_at = now() - interval '25 hours'`);
      expect((await post({ text: 'b' }, { 'idempotency-key': 'k5' })).statusCode).toBe(201);
    });

    it('refuses a key that is none', async () => {
      const response = await post({ text: 'a' }, { 'idempotency-key': 'x'.repeat(256) });
      expect(response.json<{ code: string }>().code).toBe('bad-idempotency-key');
    });
  });

  it('the address of a client is what the trusted proxy saw, whatever the client says', async () => {
    const headers = { 'x-forwarded-for': '1.2.3.4, 192.0.2.7' };
    expect((await app.inject({ url: '/notes/address', headers })).json()).toEqual({ ip: '192.0.2.7' });
    expect((await app.inject({ url: '/notes/address' })).json()).toEqual({ ip: '127.0.0.1' });
  });

  it('a created resource says where it is', async () => {
    const response = await post({ text: 'a' });
    expect(response.headers['location']).toBe(`/notes/${response.json<{ id: string }>().id}`);
  });

  it('idle connections are left to the proxy to close: Envoy, the slowest, waits an hour', () => {
    expect(app.getHttpServer().keepAliveTimeout).toBeGreaterThan(3_600_000);
  });

  it('connections are told to close only while draining', async () => {
    expect((await app.inject('/notes/one')).headers['connection']).not.toBe('close');
    draining = true;
    expect((await app.inject('/notes/one')).headers['connection']).toBe('close');
    draining = false;
  });
});
