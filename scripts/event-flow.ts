import { globSync, readFileSync } from 'node:fs';
import * as contracts from '#libs/contracts';

/** Sources of the services and libraries without their imports, by path. */
const sources = new Map(
  globSync('{apps,libs}/*/src/**/*.ts')
    .filter((path) => !path.endsWith('.spec.ts') && !path.startsWith('libs/contracts/'))
    .toSorted()
    .map((path) => [path, readFileSync(path, 'utf8').replaceAll(/^import [^;]*;/gm, '')]),
);

/** The files that handle an event or a request: each is named `<effect>.on-<event>.ts`. */
export const handlersOf = (name: string): string[] =>
  [...sources.keys()].filter((path) => path.endsWith(`.on-${name.replaceAll('.', '-')}.ts`));

/** The files that publish an event or ask a question: those that use its definition, for more than its example, without handling it. */
export const publishersOf = (constant: string): string[] =>
  [...sources]
    .filter(([path, text]) => !/\.on-[\w-]+\.ts$/.test(path) && new RegExp(`\\b${constant}\\b(?!\\.)`).test(text))
    .map(([path]) => path);

/** What a service does in Kafka: names of topics, those of requests in full. */
export interface Topics {
  publishes: string[];
  handles: string[];
  asks: string[];
  answers: string[];
}

/** The topics of a service, by the code of the service and of the libraries, which are part of each. */
export function topicsOf(service: string): Topics {
  const part = (paths: string[]) =>
    paths.some((path) => path.startsWith(`apps/${service}/`) || path.startsWith('libs/'));
  const definitions = Object.entries(contracts) as [string, contracts.EventDefinition | contracts.RequestDefinition][];
  const names = (all: unknown[], does: (constant: string, name: string) => boolean) => {
    const found = definitions.filter(([constant, one]) => all.includes(one) && does(constant, nameOf(one)));
    return [...new Set(found.map(([, { topic }]) => (typeof topic === 'string' ? topic : topic.name)))].toSorted();
  };
  const publishes = (constant: string) => part(publishersOf(constant));
  const handles = (_constant: string, name: string) => part(handlersOf(name));
  return {
    publishes: names(contracts.events, publishes),
    handles: names(contracts.events, handles),
    asks: names(contracts.requests, publishes),
    answers: names(contracts.requests, handles),
  };
}

const nameOf = (one: contracts.EventDefinition | contracts.RequestDefinition) => ('type' in one ? one.type : one.name);
