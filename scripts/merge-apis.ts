import { isDeepStrictEqual } from 'node:util';
import type { OpenAPIObject } from '@nestjs/swagger';

/** Merges the descriptions of several services into one. @throws Error where they contradict each other. */
export function mergeApis(apis: OpenAPIObject[]): OpenAPIObject {
  const [first] = apis as [OpenAPIObject];
  const components = apis.map((api) => api.components as Record<string, Record<string, unknown>>);
  return {
    ...first,
    info: { ...first.info, title: 'Tasklane' },
    paths: union(
      'path',
      apis.map(({ paths }) => paths),
    ),
    tags: apis.flatMap(({ tags = [] }) => tags),
    components: Object.fromEntries(
      Object.keys(first.components ?? {}).map((kind) => [
        kind,
        union(
          kind,
          components.map((all) => all[kind] ?? {}),
        ),
      ]),
    ),
  };
}

function union<T>(what: string, parts: Record<string, T>[]): Record<string, T> {
  const whole: Record<string, T> = {};
  for (const [name, value] of parts.flatMap((part) => Object.entries(part))) {
    if (name in whole && !isDeepStrictEqual(whole[name], value))
      throw new Error(`two services differ in ${what} ${name}`);
    whole[name] = value;
  }
  return whole;
}
