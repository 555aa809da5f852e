export { createFastify, installHttpDefaults } from './fastify.js';
export {
  forgetAnswersOf,
  forgetIdempotencyKeys,
  IdempotencyKey,
  IdempotencyKeys1767225600001,
  IdempotencyOwner1767225650000,
  Once,
} from './once.js';
export { describeApi, DESCRIBED_AS } from './openapi.js';
export { declaresProblems, Feature, Operation } from './operation.js';
export { badCursor, type Page, pageOf, pageQuery, readCursor, toPage } from './page.js';
export { defineProblem, Problem } from './problem.js';
export { ProblemFilter, sendProblem } from './problem.filter.js';
export { errorsMember, invalidInput, unavailable } from './problems.js';
export { PUBLIC, Public } from './public.js';
export { chosenId, idParam, text, validationPipe } from './validation.js';
export { assertVersion, IfMatch } from './versions.js';
