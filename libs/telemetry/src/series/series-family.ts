import { cutLabel, labelText, maxLabelLength } from './label-text.js';
import { HistogramSeries, NumberSeries, type Series, type UseClock, type WrittenSeries } from './series.js';

export interface FamilyOptions {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help?: string | undefined;
  /** Upper bounds of a histogram's buckets, ascending, without +Inf. */
  readonly bounds?: readonly number[] | undefined;
  /** So many series there may be; of what comes beyond them labels are cut (see `LabelCut`). Default 10,000. */
  readonly maxSeries?: number | undefined;
  /** Longest value of a label, characters; default 1,024. */
  readonly maxLabelLength?: number | undefined;
}

/** A family has as many series as it may: from now on new ones have `other` as the value of this label. */
export interface LabelCut {
  readonly metric: string;
  readonly label: string;
  /** How many values the label had. */
  readonly values: number;
  readonly maxSeries: number;
}

/** What stands for all values of a label that was cut. */
export const otherValue = 'other';
const defaultMaxSeries = 10_000;
/** Between the values in a key: no label holds it. */
const separator = '\0';

/**
 * The series of one metric. However many combinations of labels come, there are only so many series, and their sum is right:
 * where there is no room, the label with most values is cut, then the next.
 */
export class SeriesFamily {
  readonly name: string;
  readonly #byNames = new Map<string, LabelledSeries>();
  /** Labels that are `other` in new series. */
  readonly #cut = new Set<string>();
  readonly #maxSeries: number;
  readonly #bounds: Float64Array;
  #size = 0;
  #combined = 0;

  constructor(
    readonly options: FamilyOptions,
    private readonly clock: UseClock,
    private readonly onCut: (cut: LabelCut) => void,
  ) {
    this.name = options.name;
    this.#maxSeries = options.maxSeries ?? defaultMaxSeries;
    this.#bounds = Float64Array.from(options.bounds ?? []);
  }

  /** How many series there are. */
  get size(): number {
    return this.#size;
  }

  /** How often a series was asked for that had to be put together with others. */
  get combined(): number {
    return this.#combined;
  }

  /**
   * The series with these labels: keep what this gives. The same names in another order are other series.
   * @param names without `le`
   */
  labels(names: readonly string[]): LabelledSeries {
    const key = names.join(separator);
    const known = this.#byNames.get(key);
    if (known) return known;
    const made = new LabelledSeries([...names], this.options.maxLabelLength ?? maxLabelLength, {
      now: () => this.clock.now,
      make: (values) => this.#make(names, values),
      room: (values) => this.#room(names, values),
    });
    this.#byNames.set(key, made);
    return made;
  }

  /** Forgets series that nobody has used since then. */
  expire(before: number): void {
    for (const labelled of this.#byNames.values()) this.#size -= labelled.expire(before);
  }

  /** The family's text, a series at a time. */
  *write(): Iterable<string> {
    if (this.#size === 0) return;
    const { name, type, help } = this.options;
    yield `${help === undefined ? '' : `# HELP ${name} ${help.replaceAll(/[\\\n]/g, ' ')}\n`}# TYPE ${name} ${type}\n`;
    for (const labelled of this.#byNames.values()) for (const series of labelled.all()) yield series.write();
  }

  #make(names: readonly string[], values: readonly string[]): WrittenSeries {
    this.#size++;
    const { name, type } = this.options;
    const labels = labelText(names, values);
    if (type === 'histogram') return new HistogramSeries(name, labels, this.#bounds, this.clock);
    return new NumberSeries(labels === '' ? name : `${name}{${labels}}`, type === 'counter', this.clock);
  }

  /** @returns the values under which there is room for a series, or may be one already */
  #room(names: readonly string[], values: readonly string[]): readonly string[] {
    if (this.#size < this.#maxSeries) return values;
    this.#combined++;
    // Each label that is cut makes series of its own; they get some room, and when it is full the next label is cut.
    const room = Math.max(1, Math.floor(this.#maxSeries / 20));
    while (this.#cut.size === 0 || this.#size >= this.#maxSeries + room * this.#cut.size) {
      const left = names.filter((name) => !this.#cut.has(name));
      // With nothing left to cut there is one series for each list of names.
      if (left.length === 0 || !this.#cutOne(left)) break;
    }
    return values.map((value, i) => (this.#cut.has(names[i] ?? '') ? otherValue : value));
  }

  /** Cuts the label that has most values: it is the one that grows. */
  #cutOne(names: readonly string[]): boolean {
    const counts = names.map((label) => {
      const values = new Set<string>();
      for (const labelled of this.#byNames.values()) labelled.valuesOf(label, values);
      return { label, values: values.size };
    });
    const [most] = counts.sort((a, b) => b.values - a.values);
    if (!most) return false;
    this.#cut.add(most.label);
    this.onCut({ metric: this.name, ...most, maxSeries: this.#maxSeries });
    return true;
  }
}

interface Owner {
  readonly now: () => number;
  readonly make: (values: readonly string[]) => WrittenSeries;
  readonly room: (values: readonly string[]) => readonly string[];
}

/** The series of a family that have labels of the same names. */
export class LabelledSeries {
  readonly #series = new Map<string, WrittenSeries>();

  constructor(
    private readonly names: readonly string[],
    private readonly maxLength: number,
    private readonly owner: Owner,
  ) {}

  /** @param values one a name, in the names' order; what is too long is cut */
  with(values: readonly string[]): Series {
    return this.#find(values) ?? this.#add(values.map((value) => cutLabel(value, this.maxLength)));
  }

  /** @returns how many were forgotten */
  expire(before: number): number {
    const { size } = this.#series;
    for (const [key, { usedAt }] of this.#series) if (usedAt < before) this.#series.delete(key);
    return size - this.#series.size;
  }

  all(): Iterable<WrittenSeries> {
    return this.#series.values();
  }

  /** Adds the values that a label has. */
  valuesOf(name: string, into: Set<string>): void {
    const index = this.names.indexOf(name);
    if (index < 0) return;
    for (const key of this.#series.keys()) into.add(key.split(separator)[index] ?? '');
  }

  #find(values: readonly string[]): WrittenSeries | undefined {
    const known = this.#series.get(values.join(separator));
    if (known) known.usedAt = this.owner.now();
    return known;
  }

  #add(values: readonly string[]): Series {
    // Values that were cut may be those of a series that is there.
    const known = this.#find(values);
    if (known) return known;
    const there = this.owner.room(values);
    const combined = there === values ? undefined : this.#find(there);
    if (combined) return combined;
    const made = this.owner.make(there);
    this.#series.set(there.join(separator), made);
    return made;
  }
}
