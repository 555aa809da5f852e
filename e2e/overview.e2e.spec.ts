import { beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import type { List, Page } from './client.js';
import { newPerson, type Person } from './people.js';
import { findTarget } from './target.js';

interface Overview {
  profile: { id: string; firstName: string } | null;
  lists: Page<List>;
  notifications: { unread: number } | null;
  degraded: string[];
}

describe('the overview', () => {
  let person: Person;
  beforeAll(async () => {
    person = await newPerson(await findTarget());
  }, 150_000);

  /** The overview, once nothing is missing from it and as much is unread. */
  const whole = (unread: number) =>
    waitFor(async () => {
      const { body } = await person.api.get<Overview>('/overview');
      return body.notifications?.unread === unread && body.degraded.length === 0 && body;
    });

  it('has of each service what a start page shows', async () => {
    const { body: list } = await person.api.post<List>('/lists', { name: 'Groceries' });
    await person.api.post(`/lists/${list.id}/items`, [{ name: 'Milk' }, { name: 'Bread' }]);
    const { id, email, firstName, lastName } = person.user;
    expect(await whole(1)).toEqual({
      profile: { id, email, firstName, lastName },
      lists: { items: [expect.objectContaining({ id: list.id, openItems: 2 })], nextCursor: null },
      notifications: { unread: 1 },
      degraded: [],
    });
    await person.api.post('/notifications/read-all');
    await whole(0);
    const compact = await person.api.get('/overview?view=compact');
    expect(compact.body).toMatchObject({ profile: [id, 'Ada'], lists: [[list.id, 'Groceries', 2]], unread: 0 });
  });
});
