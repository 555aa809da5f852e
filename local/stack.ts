import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createDatabases, type Secrets, secretsIn } from './servers/databases.js';
import { declarations } from './servers/declarations.js';
import { type Edge, startEdge } from './edge/edge.js';
import { demandPort, rotate, settled, takeDirectory } from './instance.js';
import { awaitBrokers, findKafka } from './servers/kafka-source.js';
import { choosePorts, type Layout, layoutOf, type Ports } from './servers/layout.js';
import { type Mailbox, startMailbox } from './mailbox/mailbox.js';
import { endOrphans, recordProcesses } from './supervise/orphans.js';
import { startPostgres } from './servers/postgres.js';
import type { Track } from './supervise/processes.js';
import { runCommand, serviceEnvironment, type ServiceOptions, startService } from './servers/service.js';
import { type Launch, Unit } from './supervise/unit.js';

export interface StackOptions {
  dir: string;
  /** The edge's; all others but the mailbox's are derived from it. */
  port: number;
  mailPort: number;
  /** Settings for the services, and KAFKA_BROKERS; default those of this process. */
  env?: NodeJS.ProcessEnv;
  say?: (who: string, what: string) => void;
  /** Folder of the compiled services, each with src/main.js. Default dist/apps. */
  apps?: string;
}

const serviceNames = declarations.map(({ name }) => name);

export async function startStack(options: StackOptions): Promise<Stack> {
  const stack = new Stack(options);
  await stack.start();
  return stack;
}

/** All of Tasklane on this machine: PostgreSQL, Kafka, the mailbox, the services and the edge. */
export class Stack {
  readonly url: string;
  readonly mailboxUrl: string;
  readonly layout: Layout;
  /** Known once it starts, as is `brokers`. */
  ports!: Ports;
  brokers!: string;

  private readonly env: NodeJS.ProcessEnv;
  private readonly units = new Map<string, Unit>();
  private readonly record: Track;
  private secrets!: Secrets;
  private edge: Edge | undefined;
  private mailbox: Mailbox | undefined;
  private release = () => {};
  private readonly lastSaid = new Map<string, number>();

  constructor(private readonly options: StackOptions) {
    this.env = options.env ?? process.env;
    this.layout = layoutOf(options.dir);
    this.url = `http://127.0.0.1:${options.port}`;
    this.mailboxUrl = `http://127.0.0.1:${options.mailPort}`;
    this.record = recordProcesses(this.layout.processes);
  }

  /**
   * Starts all parts. When one does not start, rejects after ending the others.
   * @throws InTheWayError when the directory or a port is taken.
   */
  async start(): Promise<void> {
    this.release = takeDirectory(this.layout, `Tasklane at ${this.url}`);
    try {
      await this.startParts();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Instead of start: addresses an instance that another process runs, for commands beside it. @throws Error when none runs. */
  attach(): void {
    const { addresses, secrets, root } = this.layout;
    if (!existsSync(addresses)) throw new Error(`Nothing was started in ${root} yet: run npm start first.`);
    Object.assign(this, JSON.parse(readFileSync(addresses, 'utf8')));
    this.secrets = secretsIn(secrets, declarations);
  }

  /** Ends all parts in order, within ten seconds. */
  async stop(): Promise<void> {
    await this.edge?.stop();
    await this.stopUnits(serviceNames, 5000);
    await this.stopUnits(['kafka'], 2500);
    await this.stopUnits(['postgres'], 1500);
    await this.mailbox?.stop();
    rmSync(this.layout.addresses, { force: true });
    this.edge = this.mailbox = undefined;
    this.release();
  }

  databaseUrl(name: string): string {
    return `postgres://${name}:${this.secrets.passwords[name]}@127.0.0.1:${this.ports.postgres}/${name}`;
  }

  /** One part, to be killed or restarted. There is no part kafka under KAFKA_BROKERS. */
  unit(name: string): Unit {
    const found = this.units.get(name);
    if (!found) throw new Error(`this instance runs no ${name}`);
    return found;
  }

  serviceOptions(name: string, ports: Ports = this.ports): ServiceOptions {
    const service = declarations.find((declared) => declared.name === name)!;
    const generated = Object.entries(this.secrets.services[name]!);
    const settings = serviceEnvironment(service, ports, {
      edge: this.options.port,
      brokers: this.brokers,
      database: this.databaseUrl(name),
      secrets: Object.fromEntries(generated.map(([key, value]) => [key, this.env[key] || value])),
    });
    const env = { ...service.config, ...this.env, ...settings };
    return { name, ports, layout: this.layout, apps: this.options.apps, env };
  }

  /** Runs `main.js <args>` of a service. @throws Error when it fails. */
  command(name: string, args: string[]): Promise<void> {
    return runCommand(this.serviceOptions(name), args, this.record);
  }

  /** Restarts a service, with `migrate` after its migrations. @throws Error when it does not serve. */
  async restart(name: string, migrate: boolean): Promise<void> {
    await this.unit(name).stop(5000);
    if (migrate) await this.command(name, ['migrate']);
    await this.unit(name).start();
  }

  private async startParts(): Promise<void> {
    const { port, mailPort } = this.options;
    const orphans = await endOrphans(this.layout.processes);
    if (orphans) this.say('tasklane', `ended ${orphans} processes that an earlier start had left behind`);
    await demandPort(port, 'TASKLANE_PORT');
    await demandPort(mailPort, 'TASKLANE_MAIL_PORT');
    this.ports = await choosePorts(serviceNames, port, mailPort);
    this.brokers = this.env.KAFKA_BROKERS || `127.0.0.1:${this.ports.kafka}`;
    this.secrets = secretsIn(this.layout.secrets, declarations);
    writeFileSync(this.layout.addresses, JSON.stringify({ ports: this.ports, brokers: this.brokers }));

    const services = serviceNames.map((name) => this.serviceOptions(name));
    await settled([this.startKafka(), this.startDatabases(services)]);
    this.mailbox = await startMailbox({
      directory: this.layout.mail,
      smtpPort: this.ports.smtp,
      httpPort: mailPort,
    });
    await settled(services.map((service) => this.startUnit(service.name, (track) => startService(service, track))));
    const upstreams = declarations.map(({ name, routes }) => ({ name, routes, port: this.ports.services[name]!.http }));
    this.edge = await startEdge({ port, services: upstreams, mailboxUrl: this.mailboxUrl });
  }

  private async startKafka(): Promise<void> {
    const startBroker = await findKafka(this.env);
    if (!startBroker) {
      this.say('kafka', `waiting for ${this.brokers} (KAFKA_BROKERS)`);
      await awaitBrokers(this.env);
      return this.say('kafka', `serves on ${this.brokers}`);
    }
    const broker = {
      data: this.layout.kafka,
      port: this.ports.kafka,
      controllerPort: this.ports.kafkaController,
      log: this.layout.log('kafka'),
      say: (what: string) => this.say('kafka', what),
    };
    await this.startUnit('kafka', (track) => startBroker({ ...broker, track }));
  }

  private async startDatabases(services: ServiceOptions[]): Promise<void> {
    const server = {
      data: this.layout.postgres,
      port: this.ports.postgres,
      password: this.secrets.passwords.postgres,
      log: this.layout.log('postgres'),
      say: (what: string) => this.say('postgres', what),
    };
    await this.startUnit('postgres', async (track) => (await startPostgres({ ...server, track })).process);
    await createDatabases(this.databaseUrl('postgres'), this.secrets.passwords, serviceNames);
    await settled(services.map((service) => runCommand(service, ['migrate'], this.record)));
    this.say('postgres', 'has the schemas of all services');
  }

  private async startUnit(name: string, launch: Launch): Promise<void> {
    const unit = new Unit(name, launch, this.record, (what) => this.say(name, what));
    this.units.set(name, unit);
    rotate(this.layout.log(name));
    this.say(name, 'starting');
    const patience = setInterval(() => this.quiet(name) && this.say(name, 'still starting'), 1000);
    try {
      await unit.start();
    } finally {
      clearInterval(patience);
    }
    this.say(name, 'serves');
  }

  private async stopUnits(names: string[], patience: number): Promise<void> {
    await Promise.all(names.map(async (name) => this.units.get(name)?.stop(patience)));
  }

  private say(who: string, what: string): void {
    this.lastSaid.set(who, Date.now());
    this.options.say?.(who, what);
  }

  private quiet(who: string): boolean {
    return Date.now() - (this.lastSaid.get(who) ?? 0) > 6000;
  }
}
