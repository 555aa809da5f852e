import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { fastify } from 'fastify';
import { serveDocument } from './documents.js';

const server = fastify();
const describeApi = jest.fn(async () => ({ openapi: '3.1.0', info: { title: 'Notes' } }) as OpenAPIObject);

beforeAll(async () => {
  serveDocument(server, '/api/v1/notes', 'Notes of all', describeApi);
  await server.ready();
});
afterAll(() => server.close());

it('describes the API when first asked, and once', async () => {
  expect(describeApi).toHaveBeenCalledTimes(0);
  for (const _ of [1, 2]) {
    const { statusCode, headers, body } = await server.inject('/api/v1/notes/openapi.json');
    expect([statusCode, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    expect(JSON.parse(body)).toMatchObject({ info: { title: 'Notes' } });
  }
  expect(describeApi).toHaveBeenCalledTimes(1);
});

it.each(['/api/v1/notes/docs', '/api/v1/notes/docs/'])('shows it at %s, with all that the page loads', async (url) => {
  const page = await server.inject(url);
  expect(page.headers['content-type']).toMatch(/^text\/html/);
  expect(page.body).toContain('<title>Notes of all</title>');
  const loaded = [...page.body.matchAll(/(?:src|href|url)[=:] ?["']([^"']+)/g)].map(([, path]) => path!);
  const answers = await Promise.all(loaded.map((path) => server.inject(path)));
  expect(
    answers.map(({ statusCode, headers }) => [statusCode, headers['content-type']?.toString().split(';')[0]]),
  ).toEqual([
    [200, 'text/css'],
    [200, 'text/javascript'],
    [200, 'application/json'],
  ]);
});
