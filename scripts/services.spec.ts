import { expect, it } from '@jest/globals';
import { declarations } from '#local/servers/declarations.js';
import { loadServices, serviceNames } from './services.js';

it('every folder of apps is a service of that name, with its entry in the values of the chart', async () => {
  expect((await loadServices()).map(({ name }) => name)).toEqual(serviceNames);
  expect(declarations.map(({ name }) => name).toSorted()).toEqual(serviceNames);
});

it('npm start reads the defaults of the chart for what an entry leaves out', () => {
  const [users, todos] = ['users', 'todos'].map((name) => declarations.find((declared) => declared.name === name));
  expect(users).toMatchObject({ issuesTokens: true, grpc: true, calls: [], routes: expect.any(Array) });
  expect(todos).toMatchObject({
    issuesTokens: false,
    grpc: false,
    calls: ['users', 'notifications'],
    secrets: {},
    config: {},
  });
});
