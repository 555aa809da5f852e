import { parseArgs } from 'node:util';
import { mutantNames } from './mutants.js';
import { describe, planOf } from './plan.js';
import { Arena } from './arena.js';

// npm run torture [-- --seed N | --seeds N | --minutes M] [--mutant NAME | --mutants]

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '10' },
    minutes: { type: 'string' },
    first: { type: 'string', default: '1' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
  },
});

/** @returns the first seed that finds something. */
async function torture(arena: Arena, seeds: Iterable<number>, until: number, mutant?: string) {
  for (const seed of seeds) {
    if (performance.now() > until) break;
    const plan = planOf(seed);
    const begun = performance.now();
    const { found, events } = await arena.run(plan, mutant);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    say(
      `seed ${seed}: ${events} events, ${plan.faults.map(describe).join('; ')}: ${found.length || 'no'} violations, ${seconds} s`,
    );
    if (found.length > 0) {
      for (const violation of found.slice(0, 10)) say(`  ${violation}`);
      return seed;
    }
  }
  return undefined;
}

function* from(first: number, count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield first + n;
}

const [first, count] = values.seed ? [Number(values.seed), 1] : [Number(values.first), Number(values.seeds)];
const until = values.minutes ? performance.now() + Number(values.minutes) * 60_000 : Infinity;
const seeds = () => from(first, values.minutes && !values.seed ? Infinity : count);
const arena = await Arena.open();
let failed = false;
try {
  if (values.mutants) {
    const table: string[] = [];
    for (const mutant of mutantNames) {
      say(`mutant ${mutant}`);
      const seed = await torture(arena, from(first, count), until, mutant);
      failed ||= seed === undefined;
      table.push(`${mutant}: ${seed === undefined ? `not found by ${count} seeds` : `found by seed ${seed}`}`);
    }
    for (const line of table) say(line);
  } else {
    const seed = await torture(arena, seeds(), until, values.mutant);
    failed = seed !== undefined;
    if (failed)
      say(`replay it with: npm run torture -- --seed ${seed}${values.mutant ? ` --mutant ${values.mutant}` : ''}`);
  }
} finally {
  await arena.close();
}
process.exit(failed ? 1 : 0);
