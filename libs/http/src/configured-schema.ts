import type { z } from 'zod';

/**
 * A schema that depends on settings, for `@Body({ schema })` and the like. It is made once for each configuration that a
 * service starts with: the validation pipe and the description of the API pass theirs.
 */
export class ConfiguredSchema<C extends object, S extends z.ZodType> {
  private readonly made = new WeakMap<object, S>();

  /** What Nest expects of a schema (https://standardschema.dev). */
  readonly '~standard' = {
    version: 1 as const,
    vendor: 'tasklane',
    validate: (value: unknown, options?: { libraryOptions?: Record<string, unknown> | undefined }) =>
      this.of(options!.libraryOptions!)['~standard'].validate(value),
  };

  constructor(private readonly make: (config: C) => S) {}

  /** The schema under the settings of one service. */
  of(config: object): S {
    const schema = this.made.get(config) ?? this.make(config as C);
    this.made.set(config, schema);
    return schema;
  }
}
