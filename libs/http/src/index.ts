export { createFastify, installHttpDefaults } from './fastify.js';
export { forgetIdempotencyKeys, IdempotencyKey, IdempotencyKeys1767225600001, Once } from './once.js';
export { type Page, pageOf, pageQuery, readCursor, toPage } from './page.js';
export { Problem, unavailable } from './problem.js';
export { ProblemFilter, sendProblem } from './problem.filter.js';
export { PUBLIC, Public } from './public.js';
export { chosenId, idParam, invalidInput, text, validationPipe } from './validation.js';
export { assertVersion, IfMatch } from './versions.js';
export { describeApi } from './openapi.js';
