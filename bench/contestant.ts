import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import { nodeFlags } from '#local/servers/service.js';

export interface Contestant {
  name: string;
  url: string;
  child: ChildProcess;
}

/** One round: requests answered per second, and the server's CPU time per request. */
export interface Round {
  perSecond: number;
  cpuMicros: number;
  p99: number;
}

/** What the image's flag comes to in a pod of 384 MiB: without a limit, the heap grows as long as the machine has memory. */
const HEAP = '--max-old-space-size=211';

/** Starts a server process, with Node's flags as in the image, and waits until it answers `ready`. */
export async function start(
  name: string,
  script: string,
  port: number,
  env: Record<string, string>,
): Promise<Contestant> {
  const child = spawn(process.execPath, [...nodeFlags, HEAP, script], {
    env: { ...process.env, ...env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  // The contestants end with this process.
  process.once('exit', () => child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) break;
    const ready = await fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return { name, url, child };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${name} did not become ready`);
}

export async function stop({ child }: Contestant): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

export interface Memory {
  /** Resident memory, in MB. */
  now: number;
  /** Its peak. */
  most: number;
}

export function memoryOf({ child }: Contestant): Memory {
  const status = readFileSync(`/proc/${child.pid!}/status`, 'utf8');
  const of = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)![1]) / 1024;
  return { now: of('VmRSS'), most: of('VmHWM') };
}

/** Loads one contestant for `seconds`. @throws Error when any answer is not 2xx: failed requests are quick. */
export async function load(contestant: Contestant, request: autocannon.Request, seconds: number): Promise<Round> {
  const before = cpuSeconds(contestant.child.pid!);
  const result = await autocannon({
    url: contestant.url,
    connections: 32,
    duration: seconds,
    requests: [request],
  });
  const cpu = cpuSeconds(contestant.child.pid!) - before;
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${contestant.name}: ${result.non2xx} answers were not 2xx, ${result.errors} requests failed`);
  }
  const count = result['2xx'];
  return { perSecond: count / result.duration, cpuMicros: (cpu * 1e6) / count, p99: result.latency.p99 };
}

export const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** User and system time of a process, from /proc (in ticks of 10 ms). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
