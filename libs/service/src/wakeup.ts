/** The pause of a loop that polls. A `wake` since the last `clear` ends it, or, before it began, leaves it out. */
export class Wakeup {
  private woken = false;
  private endPause = () => {};

  /** The loop looks now: what it was woken for before needs no further round. */
  clear(): void {
    this.woken = false;
  }

  wake(): void {
    this.woken = true;
    this.endPause();
  }

  async pause(milliseconds: number): Promise<void> {
    if (this.woken) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
