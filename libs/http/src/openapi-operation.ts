import { z } from 'zod';
import { type Components, headers, type Operation, requestHeaders, type Response } from './openapi-parts.js';
import { CACHED, HEADERS, IDEMPOTENT, IF_MATCH, IS_PUBLIC, PROBLEMS, TAG_DESCRIPTION } from './operation.js';
import type { ProblemKind } from './problem.js';
import {
  bodyTooLarge,
  headersTooLarge,
  internal,
  invalidEncoding,
  invalidInput,
  invalidJson,
  jsonTooDeep,
  routeNotFound,
  tooManyRequests,
  unavailable,
  unsupportedMediaType,
} from './problems.js';

const PROBLEM_JSON = 'application/problem+json';

/** Adds to an operation what its decorators declared and the common headers and problems. Returns its tag. */
export function completeOperation(
  method: string,
  operation: Operation,
  components: Components,
  limited: boolean,
): { tag: string; description: string } {
  const { extensions, declared } = takeExtensions(operation);
  const parameters = (operation.parameters ??= []);
  const problems = [
    ...declared,
    ...(limited ? [tooManyRequests] : []),
    ...commonProblems(method, parameters as { in: string }[]),
  ];
  operation.security = extensions[IS_PUBLIC] ? [] : [{ bearer: [] }];
  if (extensions[IF_MATCH]) parameters.push(requestHeaders.ifMatch);
  if (extensions[IDEMPOTENT]) parameters.push(requestHeaders.idempotencyKey);
  if (operation.requestBody) completeBody(method, operation.requestBody as Body, components);

  const [[status, success] = []] = Object.entries(operation.responses) as [string, Response][];
  if (!success) throw new Error(`${operation.operationId} has no answer: give it @Operation`);
  const isVersioned = addExample(success, components).some((schema) => schema.properties?.['version']);
  const isKept = method === 'get' && (isVersioned || extensions[CACHED] === true);
  success.headers = headers(
    ...(limited ? ['RateLimit', 'RateLimit-Policy'] : []),
    ...(isVersioned || isKept ? ['ETag'] : []),
    ...(isKept ? ['Cache-Control'] : []),
    ...((extensions[HEADERS] as string[] | undefined) ?? []),
    ...(status === '201' ? ['Location'] : []),
    ...(extensions[IDEMPOTENT] ? ['Idempotency-Replayed'] : []),
  );
  if (isKept) {
    parameters.push(requestHeaders.ifNoneMatch);
    operation.responses['304'] = {
      description: 'The client has this version',
      headers: headers('ETag', 'Cache-Control'),
    };
  }
  Object.assign(operation.responses, problemResponses(problems, components));
  return { tag: operation.tags?.[0] ?? '', description: (extensions[TAG_DESCRIPTION] as string | undefined) ?? '' };
}

function takeExtensions(operation: Operation) {
  const names = Object.keys(operation).filter((key): key is `x-${string}` => key.startsWith('x-'));
  const extensions = Object.fromEntries(names.map((name) => [name, operation[name]]));
  for (const name of names) delete operation[name];
  const declared = names
    .filter((name) => name.startsWith(PROBLEMS))
    .flatMap((name) => extensions[name] as ProblemKind[]);
  return { extensions, declared };
}

function commonProblems(method: string, parameters: { in: string }[]): ProblemKind[] {
  const takesBody = method !== 'get';
  return [
    ...(takesBody || parameters.length > 0 ? [invalidInput] : []),
    // A path segment longer than any id matches no route.
    ...(parameters.some((parameter) => parameter.in === 'path') ? [routeNotFound] : []),
    ...(takesBody ? [invalidJson, invalidEncoding, jsonTooDeep, bodyTooLarge, unsupportedMediaType] : []),
    headersTooLarge,
    internal,
    unavailable,
  ];
}

interface Schema {
  $ref?: string;
  anyOf?: Schema[];
  example?: unknown;
  properties?: Record<string, unknown>;
}
type Body = { content?: Record<string, { schema?: Schema; example?: unknown }> };

// JSON Merge Patch, RFC 7396.
function completeBody(method: string, body: Body, components: Components): void {
  addExample(body, components);
  const json = body.content?.['application/json'];
  if (method === 'patch' && json) body.content!['application/merge-patch+json'] = json;
}

/** Copies the first schema's example. Returns the schema of the body. */
function addExample(body: Body, components: Components): Schema[] {
  const media = body.content?.['application/json'];
  if (!media?.schema) return [];
  const resolve = (schema: Schema): Schema =>
    schema.$ref ? (components.schemas[schema.$ref.split('/').at(-1)!] as Schema) : schema;
  const whole = resolve(media.schema);
  const schemas = [whole, ...(whole.anyOf ?? []).map(resolve)];
  const example = schemas.find((schema) => schema.example !== undefined)?.example;
  if (example !== undefined) media.example = example;
  return schemas;
}

function problemResponses(problems: ProblemKind[], components: Components) {
  const responses: Operation['responses'] = {};
  const byCode = new Map(problems.map((kind) => [kind.code, kind]));
  const byStatus = Map.groupBy(byCode.values(), ({ status }) => status);
  for (const [status, kinds] of [...byStatus].sort(([a], [b]) => a - b)) {
    // A component that all operations share.
    const name = kinds.map(({ code }) => pascal(code)).join('Or');
    components.responses[name] = problemResponse(status, kinds);
    responses[status] = { $ref: `#/components/responses/${name}` };
  }
  return responses;
}

function problemResponse(status: number, kinds: ProblemKind[]): Response {
  const { properties } = z.toJSONSchema(z.object(Object.assign({}, ...kinds.map(({ members }) => members))));
  return {
    description: kinds.map(({ code, description }) => `\`${code}\`: ${description}`).join('\n\n'),
    headers: headers(
      ...(status === 429 || kinds.some(({ retryAfter }) => retryAfter !== undefined) ? ['Retry-After'] : []),
      ...(status === 429 ? ['RateLimit', 'RateLimit-Policy'] : []),
      ...(status === 401 ? ['WWW-Authenticate'] : []),
    ),
    content: {
      [PROBLEM_JSON]: {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            {
              type: 'object',
              properties: { code: { enum: kinds.map(({ code }) => code) }, ...(properties as object) },
            },
          ],
        },
      },
    },
  };
}

const pascal = (code: string) => code.replace(/(?:^|-)(\w)/g, (_match, letter: string) => letter.toUpperCase());
