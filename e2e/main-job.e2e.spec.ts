import { beforeAll, describe, expect, it } from '@jest/globals';
import { MailboxClient } from '#libs/testing';
import { Client, type Item, type List, type Page, type Tokens, type User } from './client.js';
import { expectProblem } from './expect-problem.js';
import { registration, unique } from './people.js';
import { findTarget } from './target.js';

// One test per step, each building on the one before.
describe('the main job', () => {
  const person = registration({ firstName: 'Grace', lastName: 'Hopper', age: 36, clubMember: true });
  let api: Client;
  let mailbox: MailboxClient;
  let user: User;
  let tokens: Tokens;
  let list: List;
  let items: Item[];

  beforeAll(async () => {
    const target = await findTarget();
    api = new Client(target.baseUrl);
    mailbox = new MailboxClient(target.mailboxUrl);
  }, 150_000);

  it('somebody registers', async () => {
    const answer = await api.post<User>('/users', person);
    const { password: _secret, ...shown } = person;
    expect(answer).toMatchObject({ status: 201, body: { ...shown, language: 'en', roles: [], version: 1 } });
    expect(JSON.stringify(answer.body)).not.toMatch(/password|argon2/i);
    user = answer.body;
  });

  it('the welcome mail is in the mailbox with the name', async () => {
    const mail = await mailbox.waitForMail(person.email);
    expect(mail.Subject).toContain('Grace');
    expect(mail.Text).toContain('Grace Hopper');
    expect(mail.HTML).toContain('Grace Hopper');
    expect(await mailbox.list(person.email)).toHaveLength(1);
  });

  it('logs in', async () => {
    const answer = await api.post<Tokens>('/auth/login', { email: person.email, password: person.password });
    expect(answer).toMatchObject({ status: 200, body: { tokenType: 'Bearer', expiresIn: expect.any(Number) } });
    tokens = answer.body;
    api = api.as(tokens.accessToken);
  });

  it('sees the own profile', async () => {
    expect(await api.get<User>('/users/me')).toMatchObject({ status: 200, body: user });
  });

  it('makes a list', async () => {
    const name = unique('list');
    const answer = await api.post<List>('/lists', { name });
    expect(answer).toMatchObject({ status: 201, body: { name, ownerId: user.id, role: 'owner', openItems: 0 } });
    expect(answer.headers.get('location')).toBe(`/api/v1/lists/${answer.body.id}`);
    list = answer.body;
  });

  it('adds three items in one call', async () => {
    const input = [{ name: 'Milk' }, { name: 'Bread', priority: 2 }, { name: 'Tea', due: '2030-01-31' }];
    const answer = await api.post<Item[]>(`/lists/${list.id}/items`, input);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject(input.map((item) => ({ ...item, listId: list.id, completed: false })));
    items = answer.body;
  });

  it('views list and items', async () => {
    const lists = await api.get<Page<List>>('/lists');
    expect(lists.body).toMatchObject({ items: [{ id: list.id, openItems: 3 }], nextCursor: null });
    expect(await api.get<List>(`/lists/${list.id}`)).toMatchObject({ status: 200, body: { openItems: 3 } });
    const page = await api.get<Page<Item>>(`/lists/${list.id}/items`);
    expect(page).toMatchObject({ status: 200, body: { items, nextCursor: null } });
  });

  it('the same item again is a conflict', async () => {
    expectProblem(await api.post(`/lists/${list.id}/items`, { name: 'Milk' }), 409, 'item-name-taken');
  });

  it('the token is active', async () => {
    const answer = await api.as(undefined).post('/auth/validate', { token: tokens.accessToken });
    expect(answer).toMatchObject({ status: 200, body: { active: true, sub: user.id, exp: expect.any(Number) } });
  });

  it('without the token there is nothing to see', async () => {
    expectProblem(await api.as(undefined).get('/lists'), 401, 'token-missing');
  });

  it('the account is told what became of its mail', async () => {
    const answer = await api.get<Page<object>>('/notifications/deliveries');
    expect(answer).toMatchObject({ status: 200, body: { items: [{ template: 'welcome', state: 'sent' }] } });
  });
});
