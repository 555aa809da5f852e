import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { it } from '@jest/globals';
import { parse } from 'yaml';
import { freePort, waitFor } from '#libs/testing';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Pod {
  metadata: { name: string; uid: string; deletionTimestamp?: string; labels: Record<string, string> };
  spec: { nodeName: string };
  status: {
    phase: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: {
      containerID?: string;
      restartCount: number;
      lastState: { terminated?: { reason: string; exitCode: number } };
    }[];
  };
}

/** The release under test, from the environment. */
const {
  RELEASE: release = 'tasklane',
  NAMESPACE: namespace = 'tasklane-test',
  CHART: chart = 'helm/tasklane',
  BASE_URL,
  LOAD_RUNNER = '',
  LOAD_URL,
  LOAD_RATE = '200',
} = process.env;
export { chart, namespace, release };
export const components = Object.keys(
  (parse(readFileSync(`${root}helm/tasklane/values.yaml`, 'utf8')) as { services: object }).services,
);
/** A test that needs a setting, and is skipped without it. */
export const itWith = (...needed: (string | undefined)[]) => (needed.every(Boolean) ? it : it.skip);
export const baseUrl = () => {
  if (!BASE_URL) throw new Error('BASE_URL must be the address of the ingress, as seen from here');
  return BASE_URL.replace(/\/+$/, '');
};
export const fullname = release.includes('tasklane') ? release : `${release}-tasklane`;
export const print = (line: string) => process.stdout.write(`  ${line}\n`);
export const since = (begun: number) => `${((Date.now() - begun) / 1000).toFixed(1)} s`;

/** Runs a program and returns its output. @throws Error with its error output. */
export async function run(command: string, args: string[], input?: string): Promise<string> {
  const work = execute(command, args, { cwd: root, maxBuffer: 1 << 26, encoding: 'utf8' });
  if (input !== undefined) work.child.stdin?.end(input);
  return (await work).stdout;
}

export const kubectl = (...args: string[]) => run('kubectl', ['-n', namespace, ...args]);
export const helm = (command: string, ...args: string[]) => run('helm', [command, '-n', namespace, ...args]);
export const get = async <T>(...args: string[]): Promise<T> =>
  JSON.parse(await kubectl('get', ...args, '-o', 'json')) as T;
export const apply = (manifest: object) => run('kubectl', ['apply', '-f', '-'], JSON.stringify(manifest));

export const sets = (values: Record<string, string | number | boolean>) =>
  Object.entries(values).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]);

/** Without autoscaling, so that the tests set the number of pods. */
export const fixed = { 'defaults.autoscaling.enabled': false };

/**
 * Two pods of each service, whatever set their number before: as docs/kubernetes/operations.md says for switching
 * autoscaling off, because Helm 4 changes no field that another manager owns.
 */
async function takeOverReplicas(): Promise<void> {
  await kubectl('delete', 'hpa', '-l', `app.kubernetes.io/instance=${release}`);
  await kubectl('scale', ...components.map((name) => `deployment/${fullname}-${name}`), '--replicas=2');
}

/** Upgrades the release to these values and waits until it is ready. */
export async function upgrade(values: Record<string, string | number | boolean> = {}): Promise<void> {
  if (values['defaults.autoscaling.enabled'] === false) await takeOverReplicas();
  await helm('upgrade', release, chart, '--reset-values', '--wait', '--timeout', '6m', ...sets(values));
  await rolledOut();
}

export async function install(): Promise<void> {
  await helm('install', release, chart, '--wait', '--timeout', '6m');
}

/** Whether the release is installed, by the first of these suites or before. */
export const installed = async () =>
  helm('status', release).then(
    () => true,
    () => false,
  );

export async function rolledOut(names = components): Promise<void> {
  for (const name of names) await kubectl('rollout', 'status', `deployment/${fullname}-${name}`, '--timeout=5m');
}

export const isReady = ({ status, metadata }: Pod) =>
  !metadata.deletionTimestamp && !!status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');

export async function pods(component: string): Promise<Pod[]> {
  const { items } = await get<{ items: Pod[] }>(
    'pods',
    '-l',
    `app.kubernetes.io/instance=${release},app.kubernetes.io/component=${component}`,
  );
  return items;
}

export const restartsOf = (pod: Pod) => pod.status.containerStatuses?.[0]?.restartCount ?? 0;

export async function restarts(): Promise<Record<string, number>> {
  const all = (await Promise.all(components.map(pods))).flat();
  return Object.fromEntries(all.map((pod) => [pod.metadata.name, restartsOf(pod)]));
}

/** A node other than this one. */
export async function nodeBeside(name: string): Promise<string> {
  const nodes = (await run('kubectl', ['get', 'nodes', '-o', 'name'])).trim().split('\n');
  return nodes.map((node) => node.replace('node/', '')).find((node) => node !== name)!;
}

export async function nodeIsReady(name: string): Promise<boolean> {
  const condition = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
  return (await run('kubectl', ['get', 'node', name, '-o', condition])) === 'True';
}

/** Runs a script with Node in a pod's container; the service's modules can be imported. */
export const nodeIn = (pod: string, script: string) =>
  kubectl('exec', pod, '--', 'node', '--input-type=module', '-e', script);

export const sql = async (database: string, statement: string) =>
  (
    await kubectl('exec', `${fullname}-postgresql-0`, '--', 'psql', '-U', 'postgres', '-qAt', database, '-c', statement)
  ).trim();

/** Makes the mailbox reachable while `use` runs: MAILBOX_URL, or through kubectl. */
export async function withMailbox<T>(use: (url: string) => Promise<T>): Promise<T> {
  if (process.env.MAILBOX_URL) return use(process.env.MAILBOX_URL);
  const port = await freePort();
  const args = ['-n', namespace, 'port-forward', `service/${fullname}-mailpit`, `${port}:8025`];
  const forward = spawn('kubectl', args, { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  try {
    const answers = async () => (await fetch(`${url}/api/v1/messages?limit=1`)).ok;
    await waitFor(answers, { timeout: 60_000, interval: 200, what: 'the mailbox' });
    return await use(url);
  } finally {
    forward.kill();
  }
}

/** The output of helm/tasklane/files/load.mjs, which explains it. */
export interface LoadReport {
  rate: number;
  sent: number;
  seconds: number;
  skipped: number;
  statuses: Record<string, number>;
  failed: number;
  abrupt: number;
  failedFrom: number | null;
  failedUntil: number | null;
  examples: string[];
  p50: number;
  p99: number;
}

export interface LoadOptions {
  /** Requests a second, at most. */
  most?: number;
  /** Of what is answered at once, measured first. Half leaves room for pods that start: more would measure the machine. */
  share?: number;
}

/** Below this, requests a second that were sent, "no request failed" would say nothing. */
const LEAST_RATE = 10;

/** Load through the ingress, LOAD_RATE at most; LOAD_RUNNER prefixes its command, LOAD_URL is the ingress as seen from there. */
export class Load {
  private output = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly least: number,
  ) {
    child.stdout!.on('data', (data) => (this.output += String(data)));
    child.stderr!.on('data', (data) => process.stderr.write(String(data)));
  }

  static async start({ most = Number(LOAD_RATE), share = 0.5 }: LoadOptions = {}): Promise<Load> {
    const loader = fileURLToPath(new URL('../../helm/tasklane/files/load.mjs', import.meta.url));
    const [command, ...args] = [...LOAD_RUNNER.split(' ').filter(Boolean), process.execPath, loader];
    const child = spawn(command, [...args, LOAD_URL ?? baseUrl(), String(most), String(share)], {
      cwd: root,
      stdio: 'pipe',
    });
    const load = new Load(child, Math.min(LEAST_RATE, most / 2));
    const begun = () => load.output.startsWith('begun') || (child.exitCode !== null && 'ended');
    if ((await waitFor(begun, { timeout: 90_000, what: 'the load' })) === 'ended') throw new Error('no load');
    return load;
  }

  async stop(): Promise<LoadReport> {
    this.child.stdin!.end();
    await waitFor(() => this.child.exitCode !== null, { timeout: 30_000, what: 'the end of the load' });
    const report = JSON.parse(this.output.trim().split('\n').at(-1)!) as LoadReport;
    const sentRate = report.sent / report.seconds;
    if (sentRate < this.least) throw new Error(`${sentRate.toFixed(1)} requests a second are too few to show anything`);
    return report;
  }
}

/** Waits until all pods are ready and those of former rollouts have ended. */
export async function settled(names = components): Promise<void> {
  const calm = async () => (await Promise.all(names.map(pods))).flat().every(isReady);
  await waitFor(calm, { timeout: 120_000, interval: 500, what: 'the end of the old pods' });
}

/** Runs an operation on the settled release under load and reports failed requests. */
export async function underLoad(
  what: string,
  disturb: () => Promise<unknown>,
  options?: LoadOptions,
): Promise<LoadReport> {
  await settled();
  const load = await Load.start(options);
  const begun = Date.now();
  let report: LoadReport;
  try {
    await disturb();
  } finally {
    report = await load.stop();
  }
  const { rate, sent, skipped, failed, p50, p99, statuses, examples } = report;
  const amounts = `${sent} requests at ${rate}/s, ${skipped} skipped, ${failed} failed`;
  print(`${what}: ${since(begun)}, ${amounts}, p50 ${p50} ms, p99 ${p99} ms`);
  if (failed) print(`  ${JSON.stringify(statuses)}\n  ${examples.join('\n  ')}`);
  return report;
}
