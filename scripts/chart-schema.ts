import { readFileSync } from 'node:fs';
import { format } from 'prettier';
import { z } from 'zod';
import type { Setting, Settings } from '#libs/service';

export const schemaPath = 'helm/tasklane/values.schema.json';

/** Settings that the chart's templates derive from other values. Secrets are no values. */
const setByChart =
  /^(PORT|HTTPS_.*|METRICS_PORT|GRPC_PORT|TRUSTED_HOPS|OTEL_EXPORTER_OTLP_ENDPOINT|KAFKA_.*|[A-Z]+_GRPC_URL|GRPC_TLS_.*|MAIL_FROM|PUBLIC_URL)$/;

interface ValuesSchema {
  properties: { services: { properties: Record<string, object> } };
  definitions: { config: Record<string, object> };
}

/** The chart's values.schema.json with the settings that `config` accepts, common ones and each service's own. */
export async function chartSchema(byService: Record<string, Settings>): Promise<string> {
  const schema = JSON.parse(readFileSync(schemaPath, 'utf8')) as ValuesSchema;
  const all = Object.values(byService);
  const common = Object.entries(all[0]!).filter(([name]) => all.every((settings) => name in settings));
  const { properties, definitions } = schema;
  definitions.config = { defaults: configOf(common) };
  properties.services.properties = {};
  for (const [name, settings] of Object.entries(byService)) {
    definitions.config[name] = configOf(Object.entries(settings));
    const config = { $ref: `#/definitions/config/${name}` };
    properties.services.properties[name] = { allOf: [{ $ref: '#/definitions/service' }, { properties: { config } }] };
  }
  return format(JSON.stringify(schema), { parser: 'json', printWidth: 140 });
}

function configOf(settings: [string, Setting][]): object {
  const settable = settings.filter(([name, { secret }]) => !secret && !setByChart.test(name));
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(settable.map(([name, declared]) => [name, typeOf(declared)])),
  };
}

/** A number may be written as a string, as in an environment variable; each kind of limit applies to one of the two. */
function typeOf({ schema }: Setting): object {
  const { type, minimum, maximum } = z.toJSONSchema(schema, { unrepresentable: 'any' });
  if (type === 'integer') return { type: [type, 'string'], minimum, maximum, pattern: '^[0-9]+$' };
  if (type === 'number') return { type: [type, 'string'], minimum, maximum, pattern: '^[0-9]+(\\.[0-9]+)?$' };
  const text = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return { type: 'string', enum: text.enum, pattern: text.pattern };
}
