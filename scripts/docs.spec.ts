import { describe, expect, it } from '@jest/globals';
import { documents, staleDocuments } from './docs.js';

describe('the documents made from the code', () => {
  it('are up to date; if not, run "npm run docs"', async () => {
    expect(await staleDocuments()).toEqual([]);
  });

  it('describe every request body, every answer and no route twice', async () => {
    const made = [...(await documents())].filter(([path]) => path.startsWith('docs/openapi/'));
    expect(made).toHaveLength(3);
    for (const [path, text] of made) {
      const { openapi, paths } = JSON.parse(text) as {
        openapi: string;
        paths: Record<string, Record<string, { operationId: string; requestBody?: object; responses: object }>>;
      };
      expect(openapi).toBe('3.1.0');
      const operations = Object.entries(paths).flatMap(([route, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({
          name: `${path} ${method} ${route}`,
          method,
          ...operation,
        })),
      );
      expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
      const undescribed = operations.filter(
        ({ responses }) => !JSON.stringify(responses).match(/"\$ref"|"schema"|"204"/),
      );
      expect(undescribed.map(({ name }) => name)).toEqual([]);
      const bodiless = operations.filter(
        ({ method, requestBody }) => ['put', 'patch'].includes(method) && !requestBody,
      );
      expect(bodiless.map(({ name }) => name)).toEqual([]);
    }
  });
});
