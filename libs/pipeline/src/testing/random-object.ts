import { kinds, validateObject } from '@seine/istio';
import { type ConfigObject, type JsonSchema, type KindInfo } from '@seine/k8s';
import { seededRandom } from '@seine/testing';
import { keysFor, labelValues, wordsFor } from './random-words.js';

type Json = unknown;
type JsonMap = Record<string, Json>;
type Schema = JsonSchema & {
  readonly 'x-seine-oneofs'?: readonly (readonly string[])[];
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
};

const namespaces = ['one', 'one', 'two', 'istio-system'];
const names = ['a', 'b', 'c', 'part'];
const mostRepairs = 100;
const deepest = 9;
/** Without these hardly anything around them is valid. */
const usual: ReadonlySet<string> = new Set(
  'address host hosts http name number protocol route servers sniHosts tls destination'.split(' '),
);

/**
 * Random objects of Istio's kinds, made from the kinds' own schemas: every field that there is comes up, in every
 * combination. The same for the same seed.
 */
export class RandomObjects {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** As the schema has it; whether it means something is for validation to say. */
  any(kind: string): ConfigObject {
    const info = knownKind(kind);
    const spec = this.#object(specSchema(info), ['spec']);
    return {
      apiVersion: `${info.group}/${this.#pick(info.versions.filter((v) => v.served)).name}`,
      kind,
      metadata: { name: this.#pick(names), namespace: this.#pick(namespaces) },
      spec,
    };
  }

  /** One that validation takes: whatever it says is wrong is left out, until it is content. */
  valid(kind: string): ConfigObject {
    for (;;) {
      const object = this.#repaired(kind);
      if (object) return object;
    }
  }

  #repaired(kind: string): ConfigObject | undefined {
    const object = structuredClone(this.any(kind));
    for (let i = 0; i < mostRepairs; i++) {
      const wrong = validateObject(object).find(({ severity }) => severity === 'error');
      if (!wrong) return object;
      if (!this.#lessen(object, wrong.path)) return undefined;
    }
    return undefined;
  }

  /** A valid object with one thing in it made wrong: of another type, a field that is not, a number out of bounds. */
  mutated(kind: string): ConfigObject {
    const object = this.valid(kind) as unknown as JsonMap;
    let at: Json = object['spec'];
    for (let depth = this.#below(6); depth > 0; depth--) {
      const inner = Object.values(at as object).filter((value) => typeof value === 'object' && value !== null);
      if (inner.length === 0) break;
      at = this.#pick(inner);
    }
    const holder = at as JsonMap;
    const keys = Object.keys(holder);
    const key = keys.length > 0 && this.#chance(0.8) ? this.#pick(keys) : 'noSuchField';
    holder[key] = this.#pick<Json>([
      null,
      -1,
      1e12,
      'not a value!',
      '',
      [],
      [[]],
      {},
      { x: 1 },
      true,
      [null],
      '\u0000',
    ]);
    return object as unknown as ConfigObject;
  }

  /**
   * Takes away what stands at a field path: of a message one of its fields, as it is mostly two of them that do not go
   * together. @returns whether there was something to take
   */
  #lessen(object: JsonMap, path = ''): boolean {
    const steps = path.match(/[^.[\]"]+/g) ?? [];
    for (; steps.length > 0; steps.pop()) {
      const holder = steps.slice(0, -1).reduce<Json>((at, step) => (at as JsonMap | undefined)?.[step], object);
      const last = steps.at(-1)!;
      if (typeof holder !== 'object' || holder === null || !(last in holder)) continue;
      const found = (holder as JsonMap)[last];
      const inner = typeof found === 'object' && found !== null ? Object.keys(found) : [];
      if (inner.length > 0) removeKey(found as object, this.#pick(inner));
      else if (steps.length > 1) removeKey(holder, last);
      else return false;
      return true;
    }
    return false;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
  #chance(share: number): boolean {
    return this.#random() < share;
  }
  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)]!;
  }

  #value(schema: Schema, field: string, parents: readonly string[]): Json {
    const options = schema.enum;
    if (options) return this.#pick(options);
    switch (schema.type) {
      case 'object':
        return this.#object(schema, [...parents, field]);
      case 'array':
        return this.#list(schema, field, parents);
      case 'boolean':
        return this.#chance(0.5);
      case 'integer':
      case 'number':
        return this.#number(schema, field, parents);
      default:
        return this.#text(schema, field, parents);
    }
  }

  #object(schema: Schema, path: readonly string[]): JsonMap {
    const field = path.at(-1) ?? '';
    const values = schema.additionalProperties;
    if (typeof values === 'object') return this.#map(values, field, path);
    if (schema['x-kubernetes-preserve-unknown-fields']) return {};
    const required = new Set(schema.required);
    const made: JsonMap = {};
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      // Deep objects would be mostly depth: the further in, the fewer fields.
      const share = usual.has(name) ? 0.95 : Math.max(0.1, 0.5 - path.length * 0.07);
      if (required.has(name) || (path.length < deepest && this.#chance(share)))
        made[name] = this.#value(property, name, path);
    }
    for (const group of schema['x-seine-oneofs'] ?? []) {
      const [, ...surplus] = group.filter((name) => name in made);
      for (const name of surplus) Reflect.deleteProperty(made, name);
    }
    return made;
  }

  #map(values: Schema, field: string, path: readonly string[]): JsonMap {
    const keys = keysFor(field).filter(() => this.#chance(0.4));
    return Object.fromEntries(
      keys.map((key) => {
        const words = /labels/i.test(field) || field === 'selector' ? labelValues[key] : undefined;
        return [key, words ? this.#pick(words) : this.#value(values, field === 'ports' ? 'port' : 'exact', path)];
      }),
    );
  }

  #list(schema: Schema, field: string, parents: readonly string[]): readonly Json[] {
    const least = Math.max(schema.minItems ?? 0, usual.has(field) ? 1 : 0);
    const length = field === 'exportTo' ? 1 : Math.max(least, this.#pick([0, 1, 1, 2, 3]));
    return Array.from({ length }, () => this.#value(schema.items ?? {}, field, parents));
  }

  #number(schema: Schema, field: string, parents: readonly string[]): number {
    const words = wordsFor(field, parents);
    if (words && words.length > 0) return Number(this.#pick(words));
    const least = Math.max(schema.minimum ?? 0, 0);
    const most = Math.min(schema.maximum ?? 1000, least + 1000);
    const whole = this.#pick([least, most, least + 1, least + this.#below(most - least + 1)]);
    return schema.type === 'number' && this.#chance(0.3) ? Math.min(whole + 0.5, most) : whole;
  }

  #text(schema: Schema, field: string, parents: readonly string[]): string {
    if (schema.format?.startsWith('duration')) return this.#pick(['5s', '100ms', '1h30m', '1s', '0.5s']);
    if (schema.format === 'byte') return 'aGVsbG8=';
    const words = wordsFor(field, parents);
    if (words) return words.length > 0 ? String(this.#pick(words)) : '';
    return this.#pick(['word', 'other', 'x-word', 'a1']);
  }
}

const groups: ReadonlySet<string> = new Set(
  ['networking', 'security', 'telemetry', 'extensions'].map((part) => `${part}.istio.io`).concat('policy.seine.dev'),
);

/** The kinds whose specs are described, by which objects can be made. */
export const describedKinds: readonly KindInfo[] = kinds.filter(({ group }) => groups.has(group));

function knownKind(kind: string): KindInfo {
  const info = describedKinds.find((candidate) => candidate.kind === kind);
  if (!info) throw new Error(`no kind ${kind}`);
  return info;
}

function specSchema({ schema }: KindInfo): Schema {
  return schema?.properties?.['spec'] ?? {};
}

function removeKey(holder: object, key: string): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else Reflect.deleteProperty(holder, key);
}
