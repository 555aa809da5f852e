/** A clock that only moves when it is advanced. `now` is bound. */
export class FakeClock {
  private time: number;

  constructor(start: Date | string = '2026-11-01T12:00:00Z') {
    this.time = new Date(start).getTime();
  }

  now = (): Date => new Date(this.time);

  advance(milliseconds: number): void {
    this.time += milliseconds;
  }
}
