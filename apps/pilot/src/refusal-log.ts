const windowMs = 1000;
const linesInWindow = 10;

/** Says who was turned away and why, and no more often than a log can take: strangers decide how often they knock. */
export class RefusalLog {
  #since = -Infinity;
  #lines = 0;
  #kept = 0;

  /** @param now milliseconds, steady */
  constructor(
    private readonly write: (line: string) => void,
    private readonly now: () => number,
  ) {}

  tell(line: string): void {
    const now = this.now();
    if (now - this.#since >= windowMs) {
      if (this.#kept > 0) this.write(`${this.#kept} more were turned away`);
      this.#since = now;
      this.#lines = 0;
      this.#kept = 0;
    }
    if (++this.#lines <= linesInWindow) this.write(line);
    else this.#kept++;
  }
}
