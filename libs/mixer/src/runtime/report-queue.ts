import type { ReportTemplate, Templates } from '../templates/template.js';

type Reports = readonly Templates[ReportTemplate][];

export interface ReportQueueOptions {
  /** Hands reports over; resolves when the adapter is done with them, whatever came of it. */
  readonly send: (reports: Reports) => void | Promise<void>;
  readonly dropped: (count: number) => void;
  readonly later: (run: () => void, ms: number) => () => void;
}

/** So long reports wait for others, ms. */
const gatherMs = 100;
/** So many go at once. */
const batch = 1000;
/** So many wait at most; what comes then is dropped. */
const mostWaiting = 10_000;
/** So many batches are under way at once. */
const mostUnderWay = 4;

/** Reports of one template for one handler, gathered and handed over in order; nobody waits for them. */
export class ReportQueue {
  #waiting: Templates[ReportTemplate][] = [];
  #underWay = 0;
  #forget: (() => void) | undefined;
  readonly #drained: (() => void)[] = [];

  constructor(private readonly options: ReportQueueOptions) {}

  add(report: Templates[ReportTemplate]): void {
    if (this.#waiting.length >= mostWaiting) {
      this.options.dropped(1);
      return;
    }
    this.#waiting.push(report);
    if (this.#waiting.length >= batch) this.flush();
    else
      this.#forget ??= this.options.later(() => {
        this.#forget = undefined;
        this.flush();
      }, gatherMs);
  }

  /** Hands over what waits, as far as the adapter is ready for more. */
  flush(): void {
    while (this.#waiting.length > 0 && this.#underWay < mostUnderWay) {
      const reports = this.#waiting.length <= batch ? this.#waiting : this.#waiting.slice(0, batch);
      this.#waiting = this.#waiting.length <= batch ? [] : this.#waiting.slice(batch);
      const done = this.options.send(reports);
      if (!done) continue;
      this.#underWay++;
      void done.then(() => {
        this.#underWay--;
        this.flush();
        if (this.#underWay === 0) for (const tell of this.#drained.splice(0)) tell();
      });
    }
  }

  /** Hands over all that waits. Resolves when the adapter is done with it. */
  async drain(): Promise<void> {
    this.#forget?.();
    this.#forget = undefined;
    this.flush();
    if (this.#waiting.length === 0 && this.#underWay === 0) return;
    await new Promise<void>((resolve) => this.#drained.push(resolve));
  }
}
