import { z } from 'zod';
import { userChanged, userState, type UserState } from '#libs/contracts';
import { pageOf, pageQuery, text } from '#libs/http';
import type { User } from './user.entity.js';

/** An e-mail address in its canonical form. RFC 5321 allows 254 characters. */
export const emailAddress = z
  .string()
  .trim()
  .toLowerCase()
  .max(254, 'must have at most 254 characters')
  .pipe(z.email('expected an e-mail address'))
  .meta({ format: 'email', maxLength: 254, example: 'ada@example.com' });

/** Passwords checks its strength; this only bounds the work of a request. */
const newPassword = z
  .string()
  .max(1024, 'must have at most 128 characters')
  .meta({ format: 'password', minLength: 8, maxLength: 128, description: 'Common passwords are refused' });

const name = text(1, 100);
const age = z.int().min(0).max(150).nullable();
/** The languages that mails are written in. */
const language = z.enum(['en', 'de']);

const profile = {
  firstName: name,
  lastName: name,
  age: age.default(null),
  clubMember: z.boolean().default(false),
  language: language.default('en').describe('Language of the mails'),
};

export const newUser = z
  .strictObject({
    email: emailAddress,
    password: newPassword,
    ...profile,
  })
  .meta({
    id: 'NewUser',
    example: { email: 'ada@example.com', password: 'correct horse battery', firstName: 'Ada', lastName: 'Lovelace' },
  });
export type NewUser = z.infer<typeof newUser>;

/** PUT: omitted members get their default. */
export const profileInput = z
  .strictObject(profile)
  .meta({ id: 'Profile', example: { firstName: 'Ada', lastName: 'King', age: 36, language: 'de' } });

/** PATCH by RFC 7396: omitted members stay, null restores the default. */
export const profilePatch = z
  .strictObject({
    firstName: name,
    lastName: name,
    age,
    clubMember: z
      .boolean()
      .nullable()
      .transform((value) => value ?? false),
    language: language.nullable().transform((value) => value ?? 'en'),
  })
  .partial()
  .meta({ id: 'ProfilePatch', example: { lastName: 'King', age: null } });
export type ProfileChange = z.infer<typeof profilePatch>;

export const usersQuery = pageQuery;
export type UsersQuery = z.infer<typeof usersQuery>;

export const userView = userState.meta({ id: 'User', description: 'An account', example: userChanged.example });
export type UserView = UserState;
export const userPage = pageOf('UserPage', 'accounts', userView);

export type UserRow = Omit<User, 'passwordHash'>;

/** An account in the API and in events. */
export function toUserView(user: UserRow): UserView {
  return {
    id: user.id,
    email: user.email,
    firstName: user.firstName,
    lastName: user.lastName,
    age: user.age,
    clubMember: user.clubMember,
    language: user.language,
    roles: user.roles,
    createdAt: user.createdAt.toISOString(),
    updatedAt: user.updatedAt.toISOString(),
    version: user.version,
  };
}
