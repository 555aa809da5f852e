import { type ArgumentsHost, Catch, type ExceptionFilter, UseFilters } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { PATTERN_HANDLER_METADATA, TRANSPORT_METADATA } from '@nestjs/microservices/constants';
import { throwError } from 'rxjs';

/** Rethrows what a handler threw, unchanged. */
@Catch()
class PassOn implements ExceptionFilter {
  catch(error: unknown, _host: ArgumentsHost) {
    return throwError(() => error);
  }
}

const passOn = new PassOn();

/**
 * By default Nest replaces what a handler throws with "Internal server error" and logs it each time. Retry decisions need
 * the error itself, so every handler of an event or a request gets a filter that keeps it. Must run before Nest registers
 * the handlers, that is before connectMicroservice.
 */
export function passHandlerErrors(modules: ModulesContainer): void {
  for (const module of modules.values()) {
    for (const { metatype } of module.controllers.values()) {
      const prototype = metatype?.prototype as object | undefined;
      for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype ?? {}))) {
        const method: unknown = descriptor.value;
        if (typeof method !== 'function' || !Reflect.hasMetadata(PATTERN_HANDLER_METADATA, method)) continue;
        if (Reflect.getMetadata(TRANSPORT_METADATA, method) !== undefined) continue;
        UseFilters(passOn)(prototype!, name, descriptor);
      }
    }
  }
}
