import { describe, expect, it } from '@jest/globals';
import { documents, staleDocuments } from './docs.js';

type Media = Record<string, { schema?: object; example?: unknown }>;
interface Operation {
  operationId: string;
  summary?: string;
  description?: string;
  security: object[];
  parameters: { in: string; name: string }[];
  requestBody?: { content: Media };
  responses: Record<string, { $ref?: string; content?: Media; headers?: object }>;
}

describe('the documents made from the code', () => {
  it('are up to date; if not, run "npm run docs"', async () => {
    expect(await staleDocuments()).toEqual([]);
  });

  describe('of the API', () => {
    const load = async () => {
      const text = (await documents()).get('apps/users/src/openapi/tasklane.json')!;
      const { paths, tags } = JSON.parse(text) as {
        paths: Record<string, Record<string, Operation>>;
        tags: { name: string; description: string }[];
      };
      const operations = Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({
          name: `${method} ${path}`,
          path,
          method,
          ...operation,
        })),
      );
      return { operations, tags };
    };
    const namesOf = (operations: { name: string }[]) => operations.map(({ name }) => name);

    it('say what every operation is for, with an example of what it takes and gives', async () => {
      const { operations, tags } = await load();
      expect(operations.length).toBeGreaterThan(20);
      expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
      expect(operations.filter(({ summary, description }) => !summary || !description)).toEqual([]);
      expect(tags.filter(({ description }) => !description)).toEqual([]);
      const media = operations.flatMap(({ name, requestBody, responses }) =>
        [requestBody, responses['200'], responses['201']].flatMap((part) =>
          Object.values(part?.content ?? {}).map((content) => ({ name, ...content })),
        ),
      );
      expect(namesOf(media.filter(({ schema, example }) => !schema || example === undefined))).toEqual([]);
    });

    it('say of all but the open operations that they need a token', async () => {
      const { operations } = await load();
      const open = operations.filter(({ security }) => security.length === 0);
      expect(namesOf(open).toSorted()).toEqual([
        'get /.well-known/jwks.json',
        'get /.well-known/openid-configuration',
        'post /api/v1/auth/login',
        'post /api/v1/auth/refresh',
        'post /api/v1/auth/validate',
        'post /api/v1/users',
      ]);
      const guarded = operations.filter((operation) => !open.includes(operation));
      expect(namesOf(guarded.filter(({ responses }) => !responses['401']?.$ref?.includes('TokenMissing')))).toEqual([]);
    });

    it('know the headers and the statuses of each kind of operation', async () => {
      const { operations } = await load();
      const takes = (header: string) =>
        operations.filter(({ parameters }) => parameters.some(({ name }) => name === header));
      for (const { name, responses } of takes('If-Match')) {
        expect({ name, statuses: Object.keys(responses) }).toEqual({
          name,
          statuses: expect.arrayContaining(['400', '412']),
        });
      }
      for (const { name, responses } of takes('Idempotency-Key')) {
        expect({ name, statuses: Object.keys(responses) }).toEqual({
          name,
          statuses: expect.arrayContaining(['409', '422']),
        });
      }
      for (const { name, responses } of takes('If-None-Match')) {
        expect({ name, headers: responses['200']?.headers }).toMatchObject({ headers: { ETag: {} } });
        expect({ name, response: responses['304'] }).toMatchObject({ response: { headers: { ETag: {} } } });
      }
      for (const header of ['If-Match', 'Idempotency-Key', 'If-None-Match'])
        expect(takes(header).length).toBeGreaterThan(3);
      const bodies = operations.filter(({ requestBody }) => requestBody);
      const statuses = ['400', '413', '415', '431', '500', '503'];
      expect(bodies.filter(({ responses }) => !statuses.every((status) => responses[status]))).toEqual([]);
    });
  });
});
