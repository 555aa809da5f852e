import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { EventDefinition, RequestDefinition } from '#libs/contracts';
import type { EventContext } from './event-context.js';
import type { HandlerOptions } from './routes.js';

/** Only methods of the shape `M` can be decorated: a parameter of another type does not compile. */
type Decorates<M> = <H extends M>(target: object, name: string, method: TypedPropertyDescriptor<H>) => void;

/**
 * Handles an event of libs/contracts: the method gets its data, already checked against the event's schema, and the
 * EventContext. A tombstone's data is null.
 */
export function OnEvent<T>(
  event: EventDefinition<T>,
  options: HandlerOptions = {},
): Decorates<(data: T, context: EventContext) => unknown> {
  return handles(EventPattern<string>(event.type, { ...options }));
}

/** Answers a request of libs/contracts: what the method returns is sent to the reply topic of the caller. */
export function OnRequest<Q, A>(
  request: RequestDefinition<Q, A>,
): Decorates<(data: Q, context: EventContext) => A | Promise<A>> {
  return handles(MessagePattern<string>(request.name));
}

const handles =
  (pattern: MethodDecorator): Decorates<unknown> =>
  (target, name, method) => {
    Payload()(target, name, 0);
    Ctx()(target, name, 1);
    pattern(target, name, method);
  };
