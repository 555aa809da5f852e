import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';

/** The body of every error answer. */
const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string().describe('Stable name of the error'),
    requestId: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .describe('An error by RFC 9457');

const jsonSchema = (schema: z.ZodType, io: 'input' | 'output') => {
  const { $schema: _dialect, $defs: components, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return { schema: rest, components };
};

/** The OpenAPI 3.1 description of a service, made from its routes and the zod schemas they validate with. */
export function describeApi(app: INestApplication, service: string, version: string): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle(`Tasklane ${service}`)
    .setDescription('Errors are application/problem+json (RFC 9457); `code` is stable.')
    .setVersion(version)
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth()
    .addGlobalResponse({
      status: 'default',
      description: 'Any error',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    })
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (_controller, method) => method,
    standardSchemaConverter: (schema, { schemaType }) =>
      schema instanceof z.ZodType ? jsonSchema(schema, schemaType) : undefined,
  });
  const schemas = { ...document.components?.schemas, Problem: z.toJSONSchema(problemSchema) as object };
  return { ...document, components: { ...document.components, schemas } };
}
