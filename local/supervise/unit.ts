import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess, Track } from './processes.js';

export type Launch = (track: Track) => Promise<ServerProcess>;

const [firstDelay, longestDelay, longLife] = [250, 10_000, 30_000];

/** One program that is kept running: when it ends unasked, it is started again, with growing delays. */
export class Unit {
  private latest: ServerProcess | undefined;
  private serving: ServerProcess | undefined;
  /** Changes with each start and stop, which cancels what was begun before. */
  private wanted: symbol | undefined;
  private delay = firstDelay;

  constructor(
    readonly name: string,
    private readonly launch: Launch,
    private readonly record: Track,
    private readonly say: (message: string) => void,
  ) {}

  get pid(): number | undefined {
    return this.latest?.exit ? undefined : this.latest?.pid;
  }

  /** Starts it and waits until it serves. @throws Error when it does not; then it is not tried again. */
  async start(): Promise<void> {
    const wish = (this.wanted = Symbol(this.name));
    try {
      void this.keep(await this.attempt(wish), wish);
    } catch (error) {
      this.wanted = undefined;
      throw error;
    }
  }

  async ready(patience = 60_000): Promise<void> {
    const end = Date.now() + patience;
    while (!this.serving || this.serving.exit) {
      if (Date.now() > end) throw new Error(`${this.name} does not serve after ${patience / 1000} s`);
      await sleep(20);
    }
  }

  async stop(patience: number): Promise<void> {
    this.wanted = undefined;
    await this.latest?.stop(patience);
  }

  /** Sends a signal after which it is started again without a growing delay. Resolves when it has ended. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.delay = firstDelay;
    await this.latest?.kill(signal);
  }

  private async attempt(wish: symbol): Promise<ServerProcess> {
    return (this.serving = await this.launch((server) => {
      this.latest = server;
      this.record(server);
      // stop() was called before there was a process.
      if (this.wanted !== wish) void server.kill();
    }));
  }

  private async keep(server: ServerProcess, wish: symbol): Promise<void> {
    for (let since = Date.now(); ; since = Date.now()) {
      const { code, signal } = await server.exited;
      if (this.wanted !== wish) return;
      if (Date.now() - since > longLife) this.delay = firstDelay;
      this.say(`ended (${signal ?? `code ${code}`}), starting it again`);
      for (let next: ServerProcess | undefined; !next; this.delay = Math.min(this.delay * 2, longestDelay)) {
        await sleep(this.delay);
        if (this.wanted !== wish) return;
        next = await this.attempt(wish).catch(() => undefined);
        if (this.wanted !== wish) return;
        this.say(
          next ? 'serves again' : `did not start, trying again in ${Math.min(this.delay * 2, longestDelay) / 1000} s`,
        );
        if (next) server = next;
      }
    }
  }
}
