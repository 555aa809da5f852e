// One line per file: everything else about events and requests is derived from their exports.
export * from './users.topic.js';
export * from './accounts.topic.js';
export * from './sessions.topic.js';
export * from './todos.topic.js';
export * from './cache.topic.js';
export * from './auth-validate.request.js';
