import { expect, it } from '@jest/globals';
import { chartValues } from './chart-topics.js';
import { topicsOf } from './event-flow.js';

const values = (users: string, todos: string) => `defaults:
  topics: { publishes: [], handles: [sessions], asks: [], answers: [] }
services:
  # users has a comment.
  users:
    image: { repository: a/users } # and another
${users}    routes: [/users]
  todos:
    image: { repository: a/todos }
${todos}    routes: [/todos]
`;
const none = { publishes: [], handles: ['sessions'], asks: [], answers: [] };
const used = { ...none, publishes: ['accounts', 'users'] };
const told = '    topics: { publishes: [accounts, users] }\n';

it.each([
  ['gets its topics', values('', ''), { users: used, todos: none }, values(told, '')],
  ['keeps right ones', values(told, ''), { users: used, todos: none }, values(told, '')],
  [
    'loses what it no longer does',
    values(told, '    topics: { handles: [users] }\n'),
    { users: used, todos: none },
    values(told, '    topics: {}\n'),
  ],
  ['gets those of each service', values('    topics: {}\n', ''), { users: used, todos: used }, values(told, told)],
])('an entry of values %s', (_what, text, topics, expected) => {
  expect(chartValues(text, (service) => topics[service as keyof typeof topics])).toBe(expected);
});

it('topics follow from the code: what is published, handled here or in a library, and answered', () => {
  expect(topicsOf('users')).toMatchObject({
    publishes: expect.arrayContaining(['accounts', 'sessions', 'users']),
    handles: ['sessions'],
    asks: [],
    answers: ['auth.validate.request'],
  });
  expect(topicsOf('todos').publishes).toEqual(['todos']);
  expect(topicsOf('todos').handles).toEqual(expect.arrayContaining(['sessions', 'users']));
});
