import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brokerArguments, writeConfiguration } from './kafka-config.js';
import { alone } from '../supervise/lock.js';
import { answers, freePort } from '../supervise/ports.js';
import { launch, tail, untilReady } from '../supervise/processes.js';

const run = promisify(execFile);
const version = '4.3.1';

export interface KafkaInstallation {
  java: string;
  jars: string;
  /** Class data archive, which halves the JVM's start; absent where this Java cannot make one. */
  archive?: string;
  formatted: string;
}

/** The Java that would run Kafka, and its version's text; undefined without Java 17 or later and Maven. */
export async function findJava(): Promise<{ java: string; version: string } | undefined> {
  const home = process.env.JAVA_HOME;
  for (const java of home ? [join(home, 'bin', 'java'), 'java'] : ['java']) {
    const { stderr } = await run(java, ['-version']).catch(() => ({ stderr: '' }));
    // Before Java 9 the version began with "1.".
    if (Number(/version "(\d+)/.exec(stderr)?.[1]) >= 17) return { java, version: stderr };
  }
  return undefined;
}

/** True when Maven can be called, or is not needed because Kafka has been fetched before. */
export async function canInstall(): Promise<boolean> {
  return (
    existsSync(join(cache(), 'jars')) ||
    run('mvn', ['-version']).then(
      () => true,
      () => false,
    )
  );
}

/** Fetches Kafka once per machine and prepares a quick start. */
export async function installKafka(
  java: string,
  javaVersion: string,
  say: (m: string) => void,
): Promise<KafkaInstallation> {
  const home = cache();
  const jars = join(home, 'jars');
  const prepared = join(home, `java-${createHash('sha256').update(javaVersion).digest('hex').slice(0, 12)}`);
  if (!existsSync(jars) || !existsSync(prepared)) {
    const waiting = () => say('waiting: another process on this machine fetches Kafka');
    await alone(
      join(home, 'lock'),
      async () => {
        if (!existsSync(jars)) await inPlace(jars, (directory) => fetchJars(directory, say));
        if (!existsSync(prepared)) await inPlace(prepared, (directory) => prepare(java, jars, directory, say));
      },
      waiting,
    );
  }
  const archive = join(prepared, 'broker.jsa');
  return { java, jars, formatted: join(prepared, 'formatted'), ...(existsSync(archive) && { archive }) };
}

function cache(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tasklane', `kafka-${version}`);
}

/** Fills a new directory beside `target` and renames it when it is complete. Only one process does so at a time. */
async function inPlace(target: string, fill: (directory: string) => Promise<void>): Promise<void> {
  const abandoned = readdirSync(dirname(target)).filter((name) => name.startsWith(`${basename(target)}.`));
  for (const name of abandoned) rmSync(join(dirname(target), name), { recursive: true });
  const directory = mkdtempSync(`${target}.`);
  try {
    await fill(directory);
    renameSync(directory, target);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function fetchJars(directory: string, say: (message: string) => void): Promise<void> {
  say(`fetching Kafka ${version} with Maven (44 MB, once per machine)`);
  const begun = Date.now();
  const progress = setInterval(() => say(`still fetching, ${Math.round((Date.now() - begun) / 1000)} s`), 5000);
  const pom = fileURLToPath(new URL('./kafka.pom.xml', import.meta.url));
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${directory}`];
  const log = join(dirname(directory), 'maven.log');
  rmSync(log, { force: true });
  try {
    const maven = await launch({ name: 'Maven', command: 'mvn', args: ['-q', '-B', '-f', pom, ...goal], log });
    const { code } = await maven.exited;
    if (code !== 0) throw new Error(`Maven could not fetch Kafka:\n${tail(log)}`);
  } finally {
    clearInterval(progress);
  }
}

/** Runs a broker once, to record which classes it loads and to format a log directory for copies. */
async function prepare(java: string, jars: string, directory: string, say: (message: string) => void): Promise<void> {
  say('preparing Kafka (once per Java version)');
  const [port, controllerPort] = [await freePort(), await freePort()];
  const scratch = join(directory, 'scratch');
  const formatted = join(directory, 'formatted');
  mkdirSync(scratch);
  const config = join(scratch, 'server.properties');
  const format = ['kafka.tools.StorageTool', 'format', '--config', config, '--cluster-id=dGFza2xhbmUtbG9jYWwtMQ'];
  writeConfiguration(config, { data: formatted, port, controllerPort });
  await run(java, ['-cp', join(jars, '*'), ...format]);

  writeConfiguration(config, { data: join(scratch, 'data'), port, controllerPort });
  await run(java, ['-cp', join(jars, '*'), ...format]);
  const archive = join(directory, 'broker.jsa');
  const log = join(scratch, 'log');
  const args = [`-XX:ArchiveClassesAtExit=${archive}`, ...brokerArguments(jars, config)];
  const broker = await launch({ name: 'Kafka', command: java, args, log });
  await untilReady(broker, log, () => answers(port));
  await broker.stop(60_000);
  rmSync(scratch, { recursive: true });
}
