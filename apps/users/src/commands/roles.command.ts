import type { DataSource, EntityManager } from 'typeorm';
import { Revocations } from '#libs/auth';
import { userChanged } from '#libs/contracts';
import { commandOutbox, type Outbox } from '#libs/messaging';
import { type Command, CommandError } from '#libs/service';
import { emailAddress, toUserView } from '../accounts/accounts.schemas.js';
import { ROLES, User } from '../accounts/user.entity.js';
import type { Config } from '../config.js';
import { Revoker } from '../revocation/revoker.service.js';

/** Gives a role to an account. Its next access token carries it. */
export const grantRole: Command<Config> = {
  parameters: ['EMAIL', 'ROLE'],
  run: (dataSource, config, email = '', role = '') =>
    change(dataSource, config, email, role, async (tx, user, outbox) => {
      if (user.roles.includes(role)) return `${user.email} has the role ${role} already`;
      await save(tx, user, [...user.roles, role], outbox);
      return `${user.email} has the role ${role} from the next login or refresh on`;
    }),
};

/** Takes a role from an account and ends its sessions, whose access tokens still carry it. */
export const revokeRole: Command<Config> = {
  parameters: ['EMAIL', 'ROLE'],
  run: (dataSource, config, email = '', role = '') =>
    change(dataSource, config, email, role, async (tx, user, outbox) => {
      if (!user.roles.includes(role)) return `${user.email} has not the role ${role}`;
      await save(
        tx,
        user,
        user.roles.filter((other) => other !== role),
        outbox,
      );
      await new Revoker(config, outbox, new Revocations()).revokeAll(tx, user.id);
      return `${user.email} has the role ${role} no more, and its sessions have ended`;
    }),
};

async function change(
  dataSource: DataSource,
  config: Config,
  email: string,
  role: string,
  work: (tx: EntityManager, user: User, outbox: Outbox) => Promise<string>,
): Promise<string> {
  if (!ROLES.includes(role)) throw new CommandError(`there is no role ${role}; there is ${ROLES.join(', ')}`);
  const { success, data: address } = emailAddress.safeParse(email);
  if (!success) throw new CommandError(`${email} is not an e-mail address`);
  const outbox = commandOutbox(dataSource, config, 'users');
  return dataSource.transaction(async (tx) => {
    const user = await tx.findOne(User, { where: { email: address }, lock: { mode: 'pessimistic_write' } });
    if (!user) throw new CommandError(`no account has the address ${address}; register it first`);
    return work(tx, user, outbox);
  });
}

async function save(tx: EntityManager, user: User, roles: string[], outbox: Outbox): Promise<void> {
  await tx.save(Object.assign(user, { roles }));
  await outbox.add(tx, userChanged, user.id, toUserView(user));
}
