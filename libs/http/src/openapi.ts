import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { ConfiguredSchema } from './configured-schema.js';
import { loadSwagger } from './described.js';
import { completeOperation } from './openapi-operation.js';
import { type Components, type Operation, problemSchema, sharedHeaders } from './openapi-parts.js';
import { isLimited } from './rate-limits.js';

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** Patterns that a format implies, and bounds of the safe integers, are noise in the documents. */
function withoutNoise(schema: Record<string, unknown>, io: 'input' | 'output'): void {
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  if (io === 'output' && schema['format']) delete schema['pattern'];
}

/** Metadata of a schema that JSON Schema cannot express: the schema that stands for it in the documents. */
export const DESCRIBED_AS = 'describedAs';

const jsonSchema = (schema: z.ZodType, io: 'input' | 'output') => {
  const {
    $schema: _dialect,
    $defs: components,
    ...rest
  } = z.toJSONSchema((z.globalRegistry.get(schema)?.[DESCRIBED_AS] as z.ZodType | undefined) ?? schema, {
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema: made }) => withoutNoise(made, io),
  });
  return { schema: rest, components };
};

/** The OpenAPI 3.1 description of a service under its settings, made from its routes, their decorators and their zod schemas. */
export async function describeApi(
  app: INestApplication,
  service: string,
  version: string,
  settings: object,
): Promise<OpenAPIObject> {
  const { DocumentBuilder, SwaggerModule } = await loadSwagger();
  const config = new DocumentBuilder()
    .setTitle(`Tasklane ${service}`)
    .setDescription(
      'Errors are `application/problem+json` (RFC 9457); their `code` is stable. A resource has an ETag: `If-Match` ' +
        'refuses an edit of an older version. A POST with an `Idempotency-Key` happens once, however often it is sent.',
    )
    .setVersion(version)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .setOpenAPIVersion('3.1.0')
    .addServer('/', 'The one address of the API')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'From POST /api/v1/auth/login' })
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (_controller, method) => method,
    standardSchemaConverter: (declared, { schemaType }) => {
      const schema = declared instanceof ConfiguredSchema ? declared.of(settings) : declared;
      return schema instanceof z.ZodType ? jsonSchema(schema, schemaType) : undefined;
    },
  });
  return complete(document);
}

function complete(document: OpenAPIObject): OpenAPIObject {
  const schemas = { ...document.components?.schemas, Problem: jsonSchema(problemSchema, 'output').schema as object };
  const components: Components = { ...document.components, schemas, headers: {}, responses: {} };
  const tags = new Map<string, string>();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method] as Operation | undefined;
      if (operation === undefined) continue;
      const { tag, description } = completeOperation(method, operation, components, isLimited(path));
      tags.set(tag, description);
    }
  }
  const used = JSON.stringify([document.paths, components.responses]);
  components.headers = Object.fromEntries(
    Object.entries(sharedHeaders).filter(([name]) => used.includes(`#/components/headers/${name}"`)),
  );
  return { ...document, components, tags: [...tags].map(([name, description]) => ({ name, description })) };
}
