import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

export interface User {
  uid: number;
  gid: number;
}

/** PostgreSQL refuses to run as root: then it runs as the owner of its files, or as nobody. Undefined: as this process. */
export function ordinaryUser(data: string): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = statSync(existsSync(data) ? data : dirname(data));
  return owner.uid ? { uid: owner.uid, gid: owner.gid } : { uid: 65_534, gid: 65_534 };
}

export interface Call extends Partial<User> {
  command: string;
  args: string[];
}

/**
 * How a program is started as another user: by its ids alone, or, where the user may not traverse a directory on the
 * way to it or to `data` (such as root's home), by setpriv with the capability dac_override.
 */
export function callAs(user: User | undefined, program: string, args: string[], data: string): Call {
  if (!user || [program, data].every((path) => mayReach(user.uid, path))) return { command: program, args, ...user };
  const ids = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  // PostgreSQL asks access(2), which honours the capability only under this bit.
  const right = ['--securebits=+no_setuid_fixup', '--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  return { command: 'setpriv', args: [...ids, ...right, program, ...args] };
}

function mayReach(uid: number, path: string): boolean {
  const parent = dirname(path);
  if (parent === path) return true;
  const { mode, uid: owner } = statSync(parent);
  return (mode & (owner === uid ? 0o100 : 0o001)) !== 0 && mayReach(uid, parent);
}
