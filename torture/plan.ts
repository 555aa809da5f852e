import type { Direction } from '#libs/testing';

/** How many replicas there are, each with a relay and a consumer. */
export const REPLICAS = 3;
const PUBLISHING = 5000;
/** Milliseconds in which a replica gets to the point where it is to stop, or is stopped elsewhere. */
export const SOON = 1000;

/** Where a relay is stopped: with what it has read, when it is to send it, or wherever it is. */
export type Point = 'read' | 'send' | 'anywhere';

/** A fault, `at` milliseconds after the beginning, for `lasts` milliseconds. */
export type Fault = { at: number; lasts: number } & (
  | { kind: 'freeze'; replica: number; point: Point; loses: boolean }
  | { kind: 'cut-kafka' | 'cut-postgres'; replica: number; direction: Direction; loses: boolean }
  | { kind: 'lose-session'; replica: number }
  | { kind: 'kill'; replica: number }
  | { kind: 'kill-broker'; broker: number }
  | { kind: 'lone-broker'; broker: number }
  | { kind: 'snapshot' }
);

/** Everything about a run that is random, derived from its seed. */
export interface Plan {
  seed: number;
  faults: Fault[];
  /** Milliseconds in which events are published. */
  publishing: number;
  publishers: number;
  keys: number;
  random: () => number;
}

/** The same numbers between 0 and 1 for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function planOf(seed: number): Plan {
  const random = randomOf(seed);
  const upTo = (most: number) => Math.floor(random() * most);
  const oneOf = <T>(...choices: T[]): T => choices[upTo(choices.length)]!;
  // Shorter than events may be in flight, or longer than another replica needs to take over.
  const lasts = () => (random() < 0.5 ? 500 + upTo(4000) : 8500 + upTo(2000));
  const fault = (): Fault => {
    const base = { at: 300 + upTo(PUBLISHING - 1500), lasts: lasts() };
    const replica = upTo(REPLICAS);
    const kind = oneOf<Fault['kind']>(
      'freeze',
      'freeze',
      'freeze',
      'cut-kafka',
      'cut-kafka',
      'cut-postgres',
      'lose-session',
      'kill',
      'kill-broker',
      'lone-broker',
      'snapshot',
    );
    const loses = random() < 0.7;
    switch (kind) {
      case 'kill-broker':
      case 'lone-broker':
        return { ...base, kind, broker: upTo(3) };
      case 'snapshot':
        return { ...base, kind };
      case 'lose-session':
      case 'kill':
        return { ...base, kind, replica, lasts: 0 };
      case 'freeze':
        return { ...base, kind, replica, point: oneOf<Point>('read', 'read', 'send', 'anywhere'), loses };
      default:
        return { ...base, kind, replica, direction: oneOf<Direction>('up', 'up', 'down', 'both'), loses };
    }
  };
  const faults = Array.from({ length: 1 + upTo(3) }, fault).sort((a, b) => a.at - b.at);
  // Two brokers away at once leave no quorum, and nothing would be shown.
  const ofBrokers = faults.filter((each) => 'broker' in each);
  for (const surplus of ofBrokers.slice(1)) faults.splice(faults.indexOf(surplus), 1);
  return { seed, faults, publishing: PUBLISHING, publishers: 2 + upTo(4), keys: 2 + upTo(6), random };
}

/** A fault in one line. */
export const describe = ({ at, lasts, kind, ...rest }: Fault): string =>
  `${(at / 1000).toFixed(1)} s ${kind} ${Object.values(rest).join(' ')}${lasts ? ` for ${(lasts / 1000).toFixed(1)} s` : ''}`;
