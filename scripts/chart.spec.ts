import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { nodeFlags } from '#local/servers/service.js';
import { settings as notifications } from '../apps/notifications/src/config.js';
import { settings as todos } from '../apps/todos/src/config.js';
import { settings as users } from '../apps/users/src/config.js';

/** What the chart's templates set by themselves, from values of their own. */
const setByChart =
  /^(PORT|METRICS_PORT|GRPC_PORT|TRUSTED_HOPS|OTEL_EXPORTER_OTLP_ENDPOINT|DATABASE_URL|KAFKA_.*|USERS_GRPC_URL|GRPC_TLS_.*|TOKEN_SECRET|SMTP_URL|MAIL_FROM|PUBLIC_URL)$/;

interface ConfigSchema {
  properties: { config: { additionalProperties: boolean; properties: Record<string, unknown> } };
}

const schema = JSON.parse(readFileSync('helm/tasklane/values.schema.json', 'utf8')) as {
  properties: Record<string, ConfigSchema>;
  definitions: { service: ConfigSchema };
};

const namesIn = (part: ConfigSchema) => Object.keys(part.properties.config.properties).sort();

it('the image starts Node as npm start does', () => {
  const [entrypoint] = /^ENTRYPOINT \["node", "--.*$/m.exec(readFileSync('Dockerfile', 'utf8'))!;
  for (const flag of nodeFlags) expect(entrypoint).toContain(`"${flag}"`);
});

describe('the settings that the chart takes', () => {
  it.each([
    ['users', users],
    ['todos', todos],
    ['notifications', notifications],
  ])('are those of %s: none unknown, none missing', (name, settings) => {
    const own = Object.keys(settings).filter((setting) => !setByChart.test(setting));
    const part = schema.properties[name]!;
    // JWKS_URL has a default of the chart's making and may be set for another issuer.
    expect(namesIn(part)).toEqual(own.sort());
    expect(part.properties.config.additionalProperties).toBe(false);
  });

  it('in defaults are those that every service has', () => {
    const everywhere = Object.keys(users).filter((setting) => setting in todos && setting in notifications);
    const mine = everywhere.filter((setting) => !setByChart.test(setting));
    expect(namesIn(schema.definitions.service)).toEqual(mine.sort());
  });
});
