import { type Diagnostic, formatObjectRef, type ObjectRef } from '@seine/diagnostics';
import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import { deepEqual, deepFreeze } from '@seine/memo';
import type { Change, Origin, SourcedObject, SourceUpdate } from '@seine/ports';
import { compareText } from './fields.js';

/** The origin of objects that came through the config API. */
export const appliedOrigin: Origin = 'applied';

/** One object that is in force, with where it came from and which other origins it hides. */
export interface TableEntry {
  readonly key: ObjectKey;
  readonly object: ConfigObject;
  readonly origin: Origin;
  readonly changedAt: number;
  /** Origins whose version of the object is not in force, the next in line first. */
  readonly shadowed: readonly Origin[];
}

/** The later change goes first; of two at the same time what was applied, then the origin with the greater name. */
function compareVersions(a: SourcedObject, b: SourcedObject): number {
  return (
    b.changedAt - a.changedAt ||
    Number(b.origin === appliedOrigin) - Number(a.origin === appliedOrigin) ||
    compareText(b.origin, a.origin)
  );
}

/**
 * The objects of all origins. One object may have several, of which the one that changed last is in force; when that
 * is deleted, the next comes back.
 */
export class ObjectTable {
  readonly #versions = new Map<ObjectKey, readonly SourcedObject[]>();
  /** Keys with more than one origin: what there is to say about shadowing. */
  readonly #contested = new Set<ObjectKey>();
  readonly #diagnostics = new Map<Origin, readonly Diagnostic[]>();

  /**
   * Takes in what a source says changed.
   * @returns what that changes in force; empty when the change is hidden, or equal
   */
  apply(update: SourceUpdate): readonly Change[] {
    const before = new Map<ObjectKey, ConfigObject | undefined>();
    const remember = (key: ObjectKey) => {
      if (!before.has(key)) before.set(key, this.#versions.get(key)?.[0]?.object);
    };
    for (const sourced of update.put) {
      const key = objectKey(sourced.object);
      remember(key);
      const object = this.#sameOrFrozen(key, sourced.object);
      const versions = [...this.#without(key, sourced.origin), { ...sourced, object }];
      this.#setVersions(key, versions.sort(compareVersions));
    }
    // After the puts, so that an object that moves from one origin to another keeps its identity.
    for (const { key, origin } of update.deleted) {
      remember(key);
      this.#setVersions(key, this.#without(key, origin));
    }
    for (const [origin, list] of update.diagnostics) {
      if (list.length > 0) this.#diagnostics.set(origin, list);
      else this.#diagnostics.delete(origin);
    }
    const changes: Change[] = [];
    for (const [key, object] of before) {
      const now = this.#versions.get(key)?.[0]?.object;
      if (now !== object) changes.push(now ? { key, object: now } : { key });
    }
    return changes;
  }

  #without(key: ObjectKey, origin: Origin): readonly SourcedObject[] {
    return (this.#versions.get(key) ?? []).filter((version) => version.origin !== origin);
  }

  #setVersions(key: ObjectKey, versions: readonly SourcedObject[]): void {
    if (versions.length > 0) this.#versions.set(key, versions);
    else this.#versions.delete(key);
    if (versions.length > 1) this.#contested.add(key);
    else this.#contested.delete(key);
  }

  /** An equal object that any origin has keeps its identity. */
  #sameOrFrozen(key: ObjectKey, object: ConfigObject): ConfigObject {
    const known = this.#versions.get(key)?.find((version) => deepEqual(version.object, object));
    return known?.object ?? deepFreeze(object);
  }

  get(key: ObjectKey): TableEntry | undefined {
    const [first, ...others] = this.#versions.get(key) ?? [];
    return first && { key, ...first, shadowed: others.map(({ origin }) => origin) };
  }

  /** The version of one origin, in force or not. */
  version(key: ObjectKey, origin: Origin): SourcedObject | undefined {
    return this.#versions.get(key)?.find((version) => version.origin === origin);
  }

  /** Everything in force. */
  *entries(): Generator<TableEntry> {
    for (const key of this.#versions.keys()) {
      const entry = this.get(key);
      if (entry) yield entry;
    }
  }

  /** What makes an emptied store full again, or an outdated one right. */
  changesFrom(objects: ReadonlyMap<ObjectKey, ConfigObject>): readonly Change[] {
    const changes: Change[] = [];
    for (const { key, object } of this.entries())
      if (!deepEqual(objects.get(key), object)) changes.push({ key, object });
    for (const key of objects.keys()) if (!this.#versions.has(key)) changes.push({ key });
    return changes;
  }

  /** All diagnostics in force: those of the sources, and one for each version of an object that another one hides. */
  diagnostics(): readonly Diagnostic[] {
    const sources = [...this.#diagnostics].sort(([a], [b]) => compareText(a, b)).flatMap(([, list]) => list);
    const contested = [...this.#contested].sort(compareText).flatMap((key) => this.#shadowDiagnostics(key));
    return [...sources, ...contested];
  }

  #shadowDiagnostics(key: ObjectKey): readonly Diagnostic[] {
    const [winner, ...hidden] = this.#versions.get(key) ?? [];
    if (!winner) return [];
    return hidden.map((version) => ({
      severity: 'warning',
      code: 'SEINE-SHADOWED',
      message: `The version from ${describeOrigin(version.origin)} is hidden by the later one from ${describeOrigin(winner.origin)}; delete one of them.`,
      object: refOf(version.object),
    }));
  }

  /** One sentence about who hides whom, for the person who just applied the object; undefined when nobody does. */
  shadowNote(key: ObjectKey): string | undefined {
    const entry = this.get(key);
    if (!entry || entry.shadowed.length === 0) return undefined;
    const hidden = entry.shadowed.map(describeOrigin).join(', ');
    return `${formatObjectRef(refOf(entry.object))} from ${describeOrigin(entry.origin)} is in force and hides the version from ${hidden}.`;
  }
}

/** `file:/etc/mesh/a.yaml` as people call it: `/etc/mesh/a.yaml`; `applied` as `apply`. */
export function describeOrigin(origin: Origin): string {
  if (origin === appliedOrigin) return 'apply';
  return origin.startsWith('file:') ? origin.slice('file:'.length) : origin;
}

function refOf(object: ConfigObject): ObjectRef {
  const { name, namespace } = object.metadata;
  return { kind: object.kind, namespace: namespace || undefined, name };
}
