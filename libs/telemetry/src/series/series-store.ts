import type { UseClock } from './series.js';
import { type FamilyOptions, type LabelCut, SeriesFamily } from './series-family.js';

export interface SeriesStoreOptions {
  /** Is told once a family and label that there was no room for all of its values. */
  readonly onCut?: ((cut: LabelCut) => void) | undefined;
  readonly now: () => number;
}

/** Parts of the text are at least so long, characters. */
const chunkSize = 64 * 1024;

/**
 * Metrics with many series: to count costs one addition, and to write them no pause. `prom-client` builds all of its text at
 * once, and its labels at each count.
 */
export class SeriesStore {
  readonly #families = new Map<string, SeriesFamily>();
  readonly #clock: UseClock;
  readonly #onCut: (cut: LabelCut) => void;

  constructor(private readonly options: SeriesStoreOptions) {
    this.#clock = { now: options.now() };
    this.#onCut = options.onCut ?? (() => undefined);
  }

  /** The family of a name, made if need be; who asks first says what it is. */
  family(options: FamilyOptions): SeriesFamily {
    const known = this.#families.get(options.name);
    if (known) return known;
    const made = new SeriesFamily(options, this.#clock, this.#onCut);
    this.#families.set(options.name, made);
    return made;
  }

  /** Forgets a metric. Who still has its series counts for nobody. */
  remove(name: string): void {
    this.#families.delete(name);
  }

  get families(): Iterable<SeriesFamily> {
    return this.#families.values();
  }

  /**
   * Forgets series that nobody has used for so long, ms. To be called now and then; by it, too, series learn the time. Who
   * keeps series asks for them again within that time, else it counts for nobody.
   */
  expire(age: number): void {
    this.#clock.now = this.options.now();
    for (const family of this.#families.values()) family.expire(this.#clock.now - age);
  }

  /**
   * Everything in Prometheus's text format 0.0.4, in parts: whoever sends it lets others run between them. A series is whole
   * in one part; those that come while it is written may be in it or not.
   */
  *write(): Iterable<string> {
    let chunk = '';
    for (const family of this.#families.values())
      for (const text of family.write()) {
        chunk += text;
        if (chunk.length < chunkSize) continue;
        yield chunk;
        chunk = '';
      }
    if (chunk !== '') yield chunk;
  }
}
