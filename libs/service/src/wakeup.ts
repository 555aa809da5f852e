/** The pause of a polling loop. `wake` ends it, or prevents it when it was called since the last `clear`. */
export class Wakeup {
  private woken = false;
  private endPause = () => {};

  /** Call it at the start of a round, which covers all earlier calls of `wake`. */
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
