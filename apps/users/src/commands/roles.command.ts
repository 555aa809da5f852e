import type { EntityManager } from 'typeorm';
import { Revocations } from '#libs/auth';
import { userChanged } from '#libs/contracts';
import { commandOutbox, type Outbox } from '#libs/messaging';
import { type Command, CommandError } from '#libs/service';
import { emailAddress, toUserView } from '../accounts/accounts.schemas.js';
import { ROLES, User } from '../accounts/user.entity.js';
import type { Config } from '../config.js';
import { Revoker } from '../revocation/revoker.service.js';

/** Grants a role to an account, from its next access token on. */
export const grantRole = roleCommand(async (tx, user, role, outbox) => {
  if (user.roles.includes(role)) return `has the role ${role} already`;
  await save(tx, user, [...user.roles, role], outbox);
  return `has the role ${role} from the next login or refresh on`;
});

/** Revokes a role of an account and ends its sessions, whose access tokens still contain it. */
export const revokeRole = roleCommand(async (tx, user, role, outbox, config) => {
  if (!user.roles.includes(role)) return `has not the role ${role}`;
  const rest = user.roles.filter((other) => other !== role);
  await save(tx, user, rest, outbox);
  await new Revoker(config, outbox, new Revocations()).revokeAll(tx, user.id);
  return `has the role ${role} no more, and its sessions have ended`;
});

/** Runs `change` on the account in one transaction, under its row lock. */
function roleCommand(
  change: (tx: EntityManager, user: User, role: string, outbox: Outbox, config: Config) => Promise<string>,
): Command<Config> {
  return {
    parameters: ['EMAIL', 'ROLE'],
    async run(dataSource, config, email = '', role = '') {
      if (!ROLES.includes(role)) throw new CommandError(`there is no such role; there is ${ROLES.join(', ')}`);
      const { success, data: address } = emailAddress.safeParse(email);
      if (!success) throw new CommandError('EMAIL is not an e-mail address');
      const outbox = commandOutbox(dataSource, config, 'users');
      return dataSource.transaction(async (tx) => {
        const user = await tx.findOne(User, { where: { email: address }, lock: { mode: 'pessimistic_write' } });
        if (!user) throw new CommandError('no account has this address; register it first');
        // Nothing here repeats what was typed: the output of a Job is a log.
        return `the account ${user.id} ${await change(tx, user, role, outbox, config)}`;
      });
    },
  };
}

async function save(tx: EntityManager, user: User, roles: string[], outbox: Outbox): Promise<void> {
  await tx.save(Object.assign(user, { roles }));
  await outbox.add(tx, userChanged, user.id, toUserView(user));
}
