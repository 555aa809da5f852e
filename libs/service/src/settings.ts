import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Rate } from '#libs/http';

export interface Setting<T = unknown> {
  description: string;
  schema: z.ZodType<T>;
  default?: string;
  secret: boolean;
}

export type Settings = Record<string, Setting>;

export type ConfigOf<S extends Settings> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

export const CONFIG = Symbol('CONFIG');

/**
 * Declares a setting. Without a default it is required; make the schema optional for one that may be absent.
 * Any setting `X` can also come from a file whose path is in `X_FILE`, which is how secrets are mounted.
 */
export function setting<T>(
  description: string,
  schema: z.ZodType<T>,
  options: { default?: string; secret?: boolean } = {},
): Setting<T> {
  return { description, schema, secret: false, ...options };
}

const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `250ms`, `5s`, `5m`, `1h`, `30d` → milliseconds. */
export const duration: z.ZodType<number, string> = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, 'expected a duration such as 250ms, 5s, 5m, 1h or 30d')
  .transform((text) => Number.parseInt(text, 10) * unit[text.replace(/^\d+/, '') as keyof typeof unit]);

/** `100/15m` → `{ most: 100, window: 900_000 }`. */
export const rate: z.ZodType<Rate, string> = z
  .string()
  .regex(/^[1-9]\d{0,8}\/[1-9]\d*(s|m|h|d)$/, 'expected a number in a time, such as 100/15m')
  .transform((text) => {
    const [most, window] = text.split('/') as [string, string];
    return { most: Number(most), window: duration.parse(window) };
  });

/** The same, or `off` → undefined. */
export const rateOrNone: z.ZodType<Rate | undefined, string> = z
  .string()
  .regex(/^(off|[1-9]\d{0,8}\/[1-9]\d*(s|m|h|d))$/, 'expected a number in a time, such as 100/15m, or off')
  .transform((text) => (text === 'off' ? undefined : rate.parse(text)));

/** `a, b,c` → ['a', 'b', 'c']; nothing → []. */
export const commaSeparated: z.ZodType<string[], string> = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);

export const port: z.ZodType<number> = z.coerce.number().int().min(0).max(65535);

export class SettingsError extends Error {
  constructor(readonly faults: string[]) {
    super(
      `${faults.length} setting${faults.length === 1 ? ' is' : 's are'} wrong:\n${faults.map((f) => `  ${f}`).join('\n')}`,
    );
  }
}

/**
 * Reads all settings from `env`, an empty variable counting as absent.
 * @throws SettingsError with all errors at once.
 */
export function loadSettings<S extends Settings>(settings: S, env: NodeJS.ProcessEnv = process.env): ConfigOf<S> {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, declared] of Object.entries(settings)) {
    try {
      values[name] = parse(name, declared, env);
    } catch (error) {
      faults.push(`${name}: ${(error as Error).message}`);
    }
  }
  if (faults.length > 0) throw new SettingsError(faults);
  return values as ConfigOf<S>;
}

function parse(name: string, declared: Setting, env: NodeJS.ProcessEnv): unknown {
  const raw = read(name, env) ?? declared.default;
  const result = declared.schema.safeParse(raw);
  if (result.success) return result.data;
  if (raw === undefined) throw new Error(`is required (${declared.description})`);
  const reason = result.error.issues.map((issue) => issue.message).join('; ');
  throw new Error(declared.secret ? reason : `${reason}, but it is ${JSON.stringify(raw)}`);
}

function read(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const file = env[`${name}_FILE`];
  if (!file) return env[name] || undefined;
  if (env[name]) throw new Error(`is set twice, directly and by ${name}_FILE; keep one`);
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    throw new Error(`cannot be read from ${name}_FILE: ${(error as Error).message}`, { cause: error });
  }
}
