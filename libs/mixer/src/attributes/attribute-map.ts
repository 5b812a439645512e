import type { StringMap, Value } from './value-type.js';

/** What comes from outside is bounded. Envoy itself takes headers of 60 KiB. */
export interface AttributeLimits {
  /** Of one text, characters. */
  readonly text: number;
  /** Of the entries of one map. */
  readonly entries: number;
  /** Of all texts, characters. */
  readonly total: number;
}

export const attributeLimits: AttributeLimits = { text: 65_536, entries: 1024, total: 1_048_576 };

/**
 * Attributes as they are gathered. Texts that are too long are cut, maps that are too large lose their last entries; what
 * is too much in all is left out. `cut` tells how often that was.
 */
export class AttributeMap {
  readonly #values = new Map<string, Value>();
  #room: number;
  cut = 0;

  constructor(private readonly limits: AttributeLimits = attributeLimits) {
    this.#room = limits.total;
  }

  get(name: string): Value | undefined {
    return this.#values.get(name);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  set(name: string, value: Value): void {
    if (typeof value === 'string') this.#setText(name, value);
    else if (typeof value === 'object') this.#setMap(name, value);
    else this.#values.set(name, value);
  }

  entries(): IterableIterator<[string, Value]> {
    return this.#values.entries();
  }

  #setText(name: string, text: string): void {
    const longest = Math.min(this.limits.text, this.#room);
    const kept = text.length <= longest ? text : text.slice(0, longest);
    if (kept !== text) this.cut++;
    this.#room -= kept.length;
    this.#values.set(name, kept);
  }

  #setMap(name: string, map: StringMap): void {
    let size = 0;
    let longest = 0;
    for (const [key, value] of map) {
      size += key.length + value.length;
      if (value.length > longest) longest = value.length;
    }
    const { text, entries } = this.limits;
    if (size <= this.#room && longest <= text && map.size <= entries) {
      this.#room -= size;
      this.#values.set(name, map);
      return;
    }
    this.cut++;
    this.#values.set(name, this.#cutMap(map));
  }

  #cutMap(map: StringMap): StringMap {
    const kept = new Map<string, string>();
    for (const [key, value] of map) {
      const short = value.length > this.limits.text ? value.slice(0, this.limits.text) : value;
      const size = key.length + short.length;
      if (kept.size >= this.limits.entries || size > this.#room) break;
      this.#room -= size;
      kept.set(key, short);
    }
    return kept;
  }
}
