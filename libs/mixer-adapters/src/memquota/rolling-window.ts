/** Time is told apart no finer than this, as in Istio. */
const tickMs = 100;
/** Nor finer than this part of a window: its memory is bounded. */
const maxTicks = 600;

interface Slot {
  readonly tick: number;
  count: number;
}

/** How much was taken in the last stretch of time; what was taken longer ago is free again. */
export class RollingWindow {
  readonly #tickMs: number;
  readonly #ticks: number;
  /** Those in which something was taken, oldest first. */
  readonly #slots: Slot[] = [];
  #used = 0;
  #last = 0;

  constructor(windowMs: number) {
    this.#tickMs = Math.max(tickMs, windowMs / maxTicks);
    this.#ticks = Math.ceil(windowMs / this.#tickMs);
  }

  /** How much is taken now. */
  used(now: number): number {
    const tick = this.#tickOf(now);
    let gone = 0;
    for (let slot = this.#slots[gone]; slot && slot.tick + this.#ticks <= tick; slot = this.#slots[++gone])
      this.#used -= slot.count;
    if (gone > 0) this.#slots.splice(0, gone);
    return this.#used;
  }

  take(amount: number, now: number): void {
    const tick = this.#tickOf(now);
    const newest = this.#slots.at(-1);
    if (newest?.tick === tick) newest.count += amount;
    else this.#slots.push({ tick, count: amount });
    this.#used += amount;
  }

  /** How long until something of it is free again; 0 where nothing is taken. */
  freeIn(now: number): number {
    const oldest = this.#slots[0];
    return oldest ? Math.max(0, (oldest.tick + this.#ticks) * this.#tickMs - now) : 0;
  }

  /** A clock that goes back must not give anything out twice. */
  #tickOf(now: number): number {
    return (this.#last = Math.max(this.#last, Math.floor(now / this.#tickMs)));
  }
}
