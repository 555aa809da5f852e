/** Work that runs from `start` until `close`, which aborts its signal and waits for its end. */
export class BackgroundTask {
  private readonly closing = new AbortController();
  private running: Promise<void> | undefined;

  constructor(private readonly work: (signal: AbortSignal) => Promise<void>) {}

  get closed(): boolean {
    return this.closing.signal.aborted;
  }

  start(): void {
    this.running ??= this.work(this.closing.signal);
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.running;
  }
}
