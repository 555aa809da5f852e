import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { SHARED } from './caching.js';

const assets = { 'swagger-ui.css': 'text/css', 'swagger-ui-bundle.js': 'text/javascript' };

const page = (path: string, title: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>${title}</title>
    <link rel="stylesheet" href="${path}/docs/swagger-ui.css">
  </head>
  <body>
    <div id="ui"></div>
    <script src="${path}/docs/swagger-ui-bundle.js"></script>
    <script>SwaggerUIBundle({ url: '${path}/openapi.json', dom_id: '#ui' });</script>
  </body>
</html>
`;

/** Serves a description at `<path>/openapi.json` and a page that shows it at `<path>/docs`. `describe` is called when it is first asked for. */
export function serveDocument(
  fastify: FastifyInstance,
  path: string,
  title: string,
  describe: () => Promise<OpenAPIObject>,
): void {
  let document: Promise<OpenAPIObject> | undefined;
  fastify.get(`${path}/openapi.json`, { config: { cacheControl: SHARED } }, () => (document ??= describe()));
  for (const url of [`${path}/docs`, `${path}/docs/`]) {
    fastify.get(url, (_request, reply) => reply.type('text/html').send(page(path, title)));
  }
  const { resolve } = createRequire(import.meta.url);
  for (const [file, type] of Object.entries(assets)) {
    fastify.get(`${path}/docs/${file}`, async (_request, reply) => {
      reply.type(type);
      return readFile(resolve(`swagger-ui-dist/${file}`));
    });
  }
}
