import { applyDecorators } from '@nestjs/common';

type Swagger = typeof import('@nestjs/swagger');
type Decorators = Parameters<typeof applyDecorators>;

const pending: ((swagger: Swagger) => void)[] = [];

/**
 * Decorators of @nestjs/swagger, applied only when a document is made: its 530 modules take 9 MB of every process, and
 * most are never asked for one.
 */
export const described =
  (decoratorsOf: (swagger: Swagger) => Decorators): ReturnType<typeof applyDecorators> =>
  (target, key, descriptor) => {
    pending.push((swagger) => applyDecorators(...decoratorsOf(swagger))(target, key, descriptor));
  };

/** @nestjs/swagger, after it has heard of everything that is `described`. */
export async function loadSwagger(): Promise<Swagger> {
  const swagger = await import('@nestjs/swagger');
  for (const apply of pending.splice(0)) apply(swagger);
  return swagger;
}
