/** A clock that stands still until it is moved. `now` can be handed over by itself. */
export class FakeClock {
  private time: number;

  constructor(start: Date | string = '2026-11-01T12:00:00Z') {
    this.time = new Date(start).getTime();
  }

  now = (): Date => new Date(this.time);

  /** Moves it on by so many milliseconds. */
  advance(milliseconds: number): void {
    this.time += milliseconds;
  }
}
