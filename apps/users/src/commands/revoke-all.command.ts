import { Revocations } from '#libs/auth';
import { commandOutbox } from '#libs/messaging';
import type { Command } from '#libs/service';
import type { Config } from '../config.js';
import { Revoker } from '../revocation/revoker.service.js';

/** Sessions per transaction, so that none holds many locks for long. */
const BATCH = 500;

/** Ends every session: a restored backup brings back sessions that had ended since. */
export const revokeAll: Command<Config> = {
  parameters: [],
  async run(dataSource, config) {
    const revoker = new Revoker(config, commandOutbox(dataSource, config, 'users'), new Revocations());
    let total = 0;
    for (let count = BATCH; count === BATCH; total += count) {
      count = (await dataSource.transaction((tx) => revoker.revokeAny(tx, BATCH))).length;
    }
    return `${total} session${total === 1 ? '' : 's'} ended`;
  },
};
