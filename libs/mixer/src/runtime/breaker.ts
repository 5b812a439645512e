/** So many failures in a row, and it is not asked any more … */
const failuresToOpen = 5;
/** … for so long, ms; then one may try. */
const openMs = 1000;

/**
 * Keeps requests from waiting for what does not answer: after several timeouts in a row, only one request at a time finds out whether it is back.
 */
export class Breaker {
  #failures = 0;
  #openUntil = 0;
  #trying = false;

  constructor(private readonly now: () => number) {}

  /** Whether it may be asked now; then `succeeded` or `timedOut` must follow. */
  enter(): boolean {
    if (this.#failures < failuresToOpen) return true;
    if (this.#trying || this.now() < this.#openUntil) return false;
    this.#trying = true;
    return true;
  }

  get isOpen(): boolean {
    return this.#failures >= failuresToOpen;
  }

  /** It answered, whatever it said. */
  answered(): void {
    this.#failures = 0;
    this.#trying = false;
  }

  timedOut(): void {
    this.#failures++;
    this.#trying = false;
    if (this.#failures >= failuresToOpen) this.#openUntil = this.now() + openMs;
  }
}
