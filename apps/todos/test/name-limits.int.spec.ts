import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Caller, TodosFixture } from './todos-fixture.js';

describe('the longest names', () => {
  const fixtures: TodosFixture[] = [];
  let few: Caller;
  let many: Caller;

  // Two services in one process: what is read when a file is loaded would be the same for both.
  beforeAll(async () => {
    fixtures.push(await TodosFixture.start({ LIST_NAME_MAX: '5', ITEM_NAME_MAX: '6' }));
    fixtures.push(await TodosFixture.start({ LIST_NAME_MAX: '7', ITEM_NAME_MAX: '8' }));
    [few, many] = (await Promise.all(fixtures.map((fixture) => fixture.user()))) as [Caller, Caller];
  });
  afterAll(() => Promise.all(fixtures.map((fixture) => fixture.close())));

  it.each([
    ['the first service', () => few, 5],
    ['the second service', () => many, 7],
  ])('are those of the settings of %s', async (_which, callerOf, most) => {
    const caller = callerOf();
    const list = await caller.list('l'.repeat(most));
    const statusOf = async (...request: Parameters<Caller['send']>) => (await caller.send(...request)).status;
    const items = `/lists/${list.id}/items`;
    const { body: item } = await caller.send('POST', items, { name: 'i'.repeat(most + 1) });
    expect(item.name).toHaveLength(most + 1);
    const tooLong = 'x'.repeat(most + 2);
    expect([
      await statusOf('POST', '/lists', { name: tooLong }),
      await statusOf('PATCH', `/lists/${list.id}`, { name: tooLong }),
      await statusOf('POST', items, { name: tooLong }),
      await statusOf('POST', items, [{ name: tooLong }]),
      await statusOf('PATCH', `/items/${item.id}`, { name: tooLong }),
    ]).toEqual([400, 400, 400, 400, 400]);
    const { body } = await caller.send('GET', '/todos/openapi.json');
    const lengths = ['NewList', 'ListPatch', 'NewItem', 'ItemPatch'].map(
      (schema) => body.components.schemas[schema].properties.name.maxLength,
    );
    expect(lengths).toEqual([most, most, most + 1, most + 1]);
  });
});
