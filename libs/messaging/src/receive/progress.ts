/** What the liveness probe needs to know about the work under way. All times are monotonic milliseconds. */
export class Progress {
  private readonly handlers = new Map<symbol, { type: string; since: number }>();
  private readonly blocked = new Map<string, number>();

  /** Call the returned function when the handler has ended. */
  handlerStarted(type: string): () => void {
    const run = Symbol(type);
    this.handlers.set(run, { type, since: performance.now() });
    return () => this.handlers.delete(run);
  }

  /** An ordered partition waits for its failing event, since the first of these calls. */
  partitionBlocked(partition: string): void {
    if (!this.blocked.has(partition)) this.blocked.set(partition, performance.now());
  }

  partitionFree(partition: string): void {
    this.blocked.delete(partition);
  }

  /** @returns the fault, in words for whoever reads the probe's answer. */
  fault(stuckAfter: number, orderedStuckAfter: number, now = performance.now()): string | undefined {
    for (const { type, since } of this.handlers.values()) {
      if (now - since > stuckAfter) return `a handler of ${type} has been running for ${seconds(now - since)}`;
    }
    for (const [partition, since] of this.blocked) {
      if (now - since > orderedStuckAfter)
        return `${partition} has been waiting for its handler for ${seconds(now - since)}`;
    }
    return undefined;
  }
}

const seconds = (milliseconds: number) => `${Math.round(milliseconds / 1000)} s`;
