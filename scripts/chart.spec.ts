import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { nodeFlags } from '#local/servers/service.js';
import { duration, setting } from '#libs/service';
import { chartSchema } from './chart-schema.js';

it('the image starts Node as npm start does', () => {
  const [entrypoint] = /^ENTRYPOINT \["node", "--.*$/m.exec(readFileSync('Dockerfile', 'utf8'))!;
  for (const flag of nodeFlags) expect(entrypoint).toContain(`"${flag}"`);
});

describe('the settings that the chart takes', () => {
  const common = { WAIT: setting('A wait', duration, { default: '5s' }), PORT: setting('A port', z.string()) };
  const own = {
    ...common,
    SIZE: setting('A size', z.coerce.number().int().min(2).max(9), { default: '3' }),
    RATE: setting('A rate', z.coerce.number().min(0).max(1), { default: '0' }),
    KIND: setting('A kind', z.enum(['a', 'b']), { default: 'a' }),
    PASSWORD: setting('A password', z.string(), { secret: true }),
  };
  const wait = { type: 'string', pattern: '^\\d+(ms|s|m|h|d)$' };

  it('are those of the code, but for secrets and what the chart sets by itself', async () => {
    const schema = JSON.parse(await chartSchema({ first: common, second: own })) as {
      properties: { services: { properties: object; additionalProperties: object } };
      definitions: { config: object };
    };
    const config = (properties: object) => ({ type: 'object', additionalProperties: false, properties });
    expect(schema.definitions.config).toEqual({
      defaults: config({ WAIT: wait }),
      first: config({ WAIT: wait }),
      second: config({
        WAIT: wait,
        SIZE: { type: ['integer', 'string'], minimum: 2, maximum: 9, pattern: '^[0-9]+$' },
        RATE: { type: ['number', 'string'], minimum: 0, maximum: 1, pattern: '^[0-9]+(\\.[0-9]+)?$' },
        KIND: { type: 'string', enum: ['a', 'b'] },
      }),
    });
    expect(Object.keys(schema.properties.services.properties)).toEqual(['first', 'second']);
  });
});
