// The table of Idempotency-Keys, for the database of a service: loads no Nest.
export {
  forgetAnswersOf,
  forgetIdempotencyKeys,
  IdempotencyKeys1767225600001,
  IdempotencyOwner1767225650000,
} from './idempotency-keys.js';
