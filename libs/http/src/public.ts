import { applyDecorators, SetMetadata } from '@nestjs/common';
import { described } from './described.js';
import { IS_PUBLIC } from './operation.js';

/** Metadata key by which a guard recognises an open route. */
export const PUBLIC = Symbol('public');

/**
 * Opens a route, or all of a controller, to callers without a token. Defined here, not beside the guard, because the
 * probes of libs/service need it and libs/auth builds on libs/service.
 */
export const Public = () =>
  applyDecorators(
    SetMetadata(PUBLIC, true),
    described(({ ApiExtension }) => [ApiExtension(IS_PUBLIC, true)]),
  );
