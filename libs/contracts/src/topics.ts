// A line for each file: everything else about events and requests is derived from what these files export.
export * from './users.topic.js';
export * from './accounts.topic.js';
export * from './sessions.topic.js';
export * from './todos.topic.js';
export * from './auth-validate.request.js';
