import { randomBytes } from 'node:crypto';
import { Client, type Tokens, type User } from './client.js';
import type { Target } from './target.js';

export interface Person {
  user: User;
  email: string;
  password: string;
  tokens: Tokens;
  api: Client;
}

export interface Registration {
  email: string;
  password: string;
  firstName: string;
  lastName: string;
  age?: number;
  clubMember?: boolean;
  language?: string;
}

// Nothing is deleted after a run: names are unique, so that runs can be repeated against the same system.
const run = randomBytes(5).toString('hex');
let count = 0;

/** A unique name; at most 25 characters when `word` has at most 10. */
export const unique = (word: string): string => `${word}-${run}-${++count}`;

export const registration = (given: Partial<Registration> = {}): Registration => ({
  email: `${unique('person')}@example.test`,
  password: 'correct horse battery',
  firstName: 'Ada',
  lastName: 'Lovelace',
  ...given,
});

/** Registers a new user and logs in. @throws Error with the answer when either is refused. */
export async function newPerson(target: Pick<Target, 'baseUrl'>, given: Partial<Registration> = {}): Promise<Person> {
  const nobody = new Client(target.baseUrl);
  const input = registration(given);
  const registered = await nobody.post<User>('/users', input);
  if (registered.status !== 201) throw new Error(`registration answered ${JSON.stringify(registered.body)}`);
  return { ...(await logIn(nobody, input)), user: registered.body };
}

/** Logs in as the target's admin; undefined when the target names none. */
export async function findAdmin({ admin, baseUrl }: Target): Promise<Person | undefined> {
  if (!admin) return undefined;
  const nobody = new Client(baseUrl);
  const person = await logIn(nobody, admin);
  const { body: user } = await person.api.get<User>('/users/me');
  return { ...person, user };
}

export async function logIn(api: Client, { email, password }: { email: string; password: string }) {
  const { status, body: tokens } = await api.post<Tokens>('/auth/login', { email, password });
  if (status !== 200) throw new Error(`login answered ${JSON.stringify(tokens)}`);
  return { email, password, tokens, api: api.as(tokens.accessToken) };
}
