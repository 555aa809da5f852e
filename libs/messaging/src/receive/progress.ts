/** What the liveness probe needs to know about running handlers. All times are monotonic milliseconds. */
export class Progress {
  private readonly handlers = new Map<symbol, { type: string; since: number }>();

  /** The caller calls the returned function when the handler has ended. */
  handlerStarted(type: string): () => void {
    const run = Symbol(type);
    this.handlers.set(run, { type, since: performance.now() });
    return () => this.handlers.delete(run);
  }

  fault(stuckAfter: number, now = performance.now()): string | undefined {
    for (const { type, since } of this.handlers.values()) {
      if (now - since > stuckAfter) return `a handler of ${type} has been running for ${seconds(now - since)}`;
    }
    return undefined;
  }
}

const seconds = (milliseconds: number) => `${Math.round(milliseconds / 1000)} s`;
