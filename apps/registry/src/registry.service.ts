import { analyzeReferences } from '@seine/analyze';
import type { Diagnostic } from '@seine/diagnostics';
import { hasStatus, ObjectStatuses, statusDiagnostics } from '@seine/gateway-api';
import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import { defaultMeshConfig, type Mesh, type MeshConfig } from '@seine/model';
import { isLegacySecurity, legacySecurityStatuses } from '@seine/legacy-security';
import type { Change, Source, SourceUpdate, Store } from '@seine/ports';
import {
  appliedOrigin,
  buildMesh,
  type BuiltMesh,
  describeOrigin,
  ObjectTable,
  type TableEntry,
} from '@seine/registry';
import { deepEqual } from '@seine/memo';
import { type CheckedObject, checkObjects } from '@seine/source-file';
import { contentHash } from './content-hash.js';
import { mixerProblems } from './mixer-problems.js';
import { SerialQueue } from './serial-queue.js';
import type { AppliedObject, StateDirectory } from './state-directory.js';

export interface ObjectId {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface AppliedResult {
  /** Undefined where the object is too broken to have a name. */
  readonly id: ObjectId | undefined;
  readonly result: 'created' | 'configured' | 'unchanged' | 'rejected';
  /** Who is in force and hides whom; empty without other origins. */
  readonly note: string;
  readonly diagnostics: readonly Diagnostic[];
}

export interface DeletedResult {
  readonly id: ObjectId;
  readonly result: 'deleted' | 'restored' | 'in_file' | 'not_found';
  readonly note: string;
}

export interface RegistryDependencies {
  readonly store: Store;
  readonly sources: readonly Source[];
  /** Without one, what is applied lasts as long as the process. */
  readonly state?: StateDirectory | undefined;
  readonly meshConfig?: MeshConfig;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Is told of failures that no caller waits for. */
  readonly onError: (error: unknown) => void;
  /** Is told what each source says, as it says it. */
  readonly onUpdate?: (update: SourceUpdate) => void;
  /** Is told of each object that somebody applies, or asks whether it could be: whether it is valid. */
  readonly onValidated?: (isValid: boolean) => void;
}

export function idOf(key: ObjectKey): ObjectId {
  const [group = '', kind = '', namespace = '', name = ''] = key.split('/');
  return { group, kind, namespace, name };
}

const nothing: SourceUpdate = { put: [], deleted: [], diagnostics: new Map() };
const refillDelay = 1000;

/**
 * The registry without its shell: merges what the sources say with what is applied, keeps the store equal to the
 * result, and answers the config API.
 */
export class RegistryService {
  readonly #table = new ObjectTable();
  readonly #queue = new SerialQueue();
  readonly #statuses = new ObjectStatuses();
  /** What the sources say before all of them have spoken once. */
  #early: SourceUpdate[] | undefined = [];
  #refill: NodeJS.Timeout | undefined;
  #mesh: Mesh | undefined;
  #stopped = false;
  readonly #started: Promise<void>;
  #setStarted: () => void = () => undefined;

  constructor(private readonly dependencies: RegistryDependencies) {
    this.#started = new Promise((resolve) => {
      this.#setStarted = resolve;
    });
  }

  /** Resolves when the registry has started: before, it knows neither all objects nor what was applied. */
  whenStarted(): Promise<void> {
    return this.#started;
  }

  /**
   * Reads the state directory and all sources, fills the store, and marks it as filled.
   * @param fresh forget what was applied before
   */
  async start({ fresh }: { readonly fresh: boolean }): Promise<void> {
    const { state, sources, store } = this.dependencies;
    await state?.open();
    if (fresh) await state?.clear();
    const loaded = await state?.load();
    await Promise.all(sources.map((source) => source.start((update) => this.#take(update))));
    const early = this.#early ?? [];
    this.#early = undefined;
    const applied = loaded?.applied ?? [];
    this.#table.apply({
      ...nothing,
      put: applied.map(({ object, changedAt }) => ({ object, origin: appliedOrigin, changedAt })),
      diagnostics: new Map([[appliedOrigin, loaded?.diagnostics ?? []]]),
    });
    for (const update of early) this.#table.apply(stillHidden(update, applied));
    await store.write(this.#table.changesFrom((await store.snapshot()).objects));
    await store.markSynced();
    this.#setStarted();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#refill);
    await Promise.all(this.dependencies.sources.map((source) => source.stop()));
  }

  #take(update: SourceUpdate): void {
    this.dependencies.onUpdate?.(update);
    if (this.#early) {
      this.#early.push(update);
      return;
    }
    this.#write(this.#table.apply(update)).catch((error: unknown) => {
      this.dependencies.onError(error);
      this.#refillLater();
    });
  }

  #write(changes: readonly Change[]): Promise<number> {
    return this.dependencies.store.write(changes);
  }

  /** A write that failed left the store behind: it is compared with the table as a whole until that works. */
  #refillLater(): void {
    if (this.#stopped) return;
    this.#refill ??= setTimeout(() => {
      this.#refill = undefined;
      this.#refillStore().catch((error: unknown) => {
        this.dependencies.onError(error);
        this.#refillLater();
      });
    }, refillDelay);
  }

  async #refillStore(): Promise<void> {
    const { store } = this.dependencies;
    await store.write(this.#table.changesFrom((await store.snapshot()).objects));
    await store.markSynced();
  }

  /**
   * Applies objects, each by itself. Resolves when they are on disk and in force.
   * @param values parsed JSON or YAML; what is no valid object is rejected with diagnostics
   */
  apply(values: readonly unknown[], dryRun = false): Promise<{ revision: number; results: AppliedResult[] }> {
    return this.#queue.run(async () => {
      await this.#started;
      const results: AppliedResult[] = [];
      const accepted: AppliedObject[] = [];
      const seen = new Map<ObjectKey, ConfigObject>();
      for (const checked of values.flatMap(checkObjects)) {
        const next = checked.object && this.#next(checked.object, seen);
        this.dependencies.onValidated?.(next !== undefined);
        if (next?.store && !dryRun) accepted.push(next.store);
        results.push(this.#result(checked, next?.result ?? 'rejected'));
      }
      for (const applied of accepted) await this.dependencies.state?.write(applied);
      const put = accepted.map(({ object, changedAt }) => ({ object, origin: appliedOrigin, changedAt }));
      const revision = await this.#write(this.#table.apply({ ...nothing, put }));
      return { revision, results: results.map((result) => this.#withRemarks(result)) };
    });
  }

  /** What becomes of a valid object: what to store, if anything. */
  #next(
    given: ConfigObject,
    seen: Map<ObjectKey, ConfigObject>,
  ): { readonly result: AppliedResult['result']; readonly store?: AppliedObject } {
    const key = objectKey(given);
    const entry = this.#table.get(key);
    const before = seen.get(key) ?? entry?.object;
    const changedAt = (this.dependencies.now ?? Date.now)();
    // The older of two conflicting objects wins, so an object keeps the time at which it first came.
    const creationTimestamp = before
      ? before.metadata.creationTimestamp
      : (given.metadata.creationTimestamp ?? new Date(changedAt).toISOString());
    const object = createdAt(withoutStatus(given), creationTimestamp);
    seen.set(key, object);
    if (before && deepEqual(before, object)) return { result: 'unchanged' };
    const others = entry ? [entry.origin, ...entry.shadowed].filter((origin) => origin !== appliedOrigin) : [];
    const hides = others.map((origin) => contentHash(this.#table.version(key, origin)?.object));
    // Later than what it replaces, even if that file's clock is ahead.
    const after = Math.max(changedAt, (entry?.changedAt ?? 0) + 1);
    return { result: before ? 'configured' : 'created', store: { object, changedAt: after, hides } };
  }

  #result({ key, diagnostics }: CheckedObject, result: AppliedResult['result']): AppliedResult {
    return { id: key === undefined ? undefined : idOf(key), result, note: '', diagnostics };
  }

  /** Adds what is known only when the object is in force: whom it hides, and what it names that is not there. */
  #withRemarks(result: AppliedResult): AppliedResult {
    const { id } = result;
    if (!id || result.result === 'rejected') return result;
    const note = this.#table.shadowNote(`${id.group}/${id.kind}/${id.namespace}/${id.name}`) ?? '';
    const references = this.#meshDiagnostics().filter(
      ({ object }) => object?.kind === id.kind && object.name === id.name && (object.namespace ?? '') === id.namespace,
    );
    return { ...result, note, diagnostics: [...result.diagnostics, ...references] };
  }

  /** Deletes what was applied; a file's version of the object, if there is one, is in force again. */
  delete(ids: readonly ObjectId[]): Promise<{ revision: number; results: DeletedResult[] }> {
    return this.#queue.run(async () => {
      await this.#started;
      const deleted: ObjectKey[] = [];
      const results: DeletedResult[] = [];
      for (const id of ids) {
        const entry = this.get(id);
        const applied = entry && !deleted.includes(entry.key) && this.#table.version(entry.key, appliedOrigin);
        if (entry && applied) deleted.push(entry.key);
        results.push(deletedResult(id, entry, Boolean(applied)));
      }
      for (const key of deleted) await this.dependencies.state?.delete(key);
      const update = { ...nothing, deleted: deleted.map((key) => ({ key, origin: appliedOrigin })) };
      return { revision: await this.#write(this.#table.apply(update)), results };
    });
  }

  /** The object in force; without namespace, one of the cluster or of `default`. */
  get({ group, kind, namespace, name }: ObjectId): TableEntry | undefined {
    const found = this.#table.get(`${group}/${kind}/${namespace}/${name}`);
    return found ?? (namespace === '' ? this.#table.get(`${group}/${kind}/default/${name}`) : undefined);
  }

  /** Objects in force in order of kind, namespace and name; an empty kind or namespace stands for all. */
  list(kind = '', namespace = ''): readonly TableEntry[] {
    const found = [...this.#table.entries()].filter(({ object }) => {
      const { metadata } = object;
      return (
        (kind === '' || object.kind.toLowerCase() === kind.toLowerCase()) &&
        (namespace === '' || metadata.namespace === namespace)
      );
    });
    const order = ({ object: { kind: k, metadata: m } }: TableEntry) => `${k}\n${m.namespace}\n${m.name}`;
    return found.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  entry(key: ObjectKey): TableEntry | undefined {
    return this.#table.get(key);
  }

  /** All that is wrong with the config now: with files, with applied objects, and between objects. */
  diagnostics(): readonly Diagnostic[] {
    return [...this.#table.diagnostics(), ...this.#meshDiagnostics()];
  }

  /** The entries as an API server would have them: with the status that the mesh gives to some kinds. */
  withStatus(entries: readonly TableEntry[]): readonly TableEntry[] {
    const has = (test: (object: ConfigObject) => boolean) => entries.some(({ object }) => test(object));
    if (!has(hasStatus) && !has(isLegacySecurity)) return entries;
    const { objects, mesh } = this.#buildMesh();
    const statuses = new Map([
      ...(has(hasStatus) ? this.#statusesOf(objects, mesh) : []),
      ...(has(isLegacySecurity) ? legacySecurityStatuses(objects, mesh.config) : []),
    ]);
    return entries.map((entry) => {
      const status = statuses.get(entry.key);
      return status ? { ...entry, object: { ...entry.object, status } } : entry;
    });
  }

  #meshDiagnostics(): readonly Diagnostic[] {
    const { objects, mesh, diagnostics } = this.#buildMesh();
    const statuses = objects.some(hasStatus) ? this.#statusesOf(objects, mesh) : new Map<ObjectKey, object>();
    return [
      ...diagnostics,
      ...analyzeReferences(objects, mesh.config),
      ...statusDiagnostics(objects, statuses),
      ...mixerProblems(mesh),
    ];
  }

  #statusesOf(objects: readonly ConfigObject[], mesh: Mesh): ReadonlyMap<ObjectKey, object> {
    return this.#statuses.of(objects, mesh, new Date((this.dependencies.now ?? Date.now)()).toISOString());
  }

  #buildMesh(): BuiltMesh & { readonly objects: readonly ConfigObject[] } {
    const objects = new Map([...this.#table.entries()].map(({ key, object }) => [key, object]));
    const built = buildMesh(this.#mesh, objects, this.dependencies.meshConfig ?? defaultMeshConfig);
    this.#mesh = built.mesh;
    return { ...built, objects: [...objects.values()] };
  }
}

/** What the mesh itself says of an object is not what somebody applies: a copy of what `get` shows changes nothing. */
function withoutStatus(object: ConfigObject): ConfigObject {
  if (!(hasStatus(object) || isLegacySecurity(object)) || object['status'] === undefined) return object;
  return Object.fromEntries(Object.entries(object).filter(([field]) => field !== 'status')) as ConfigObject;
}

/** The object with this creation time and no other. */
function createdAt(object: ConfigObject, creationTimestamp: string | undefined): ConfigObject {
  const metadata = { ...object.metadata, creationTimestamp };
  if (creationTimestamp === undefined) delete metadata.creationTimestamp;
  return { ...object, metadata };
}

function deletedResult(id: ObjectId, entry: TableEntry | undefined, applied: boolean): DeletedResult {
  if (!entry) return { id, result: 'not_found', note: '' };
  const found = idOf(entry.key);
  const others = [entry.origin, ...entry.shadowed].filter((origin) => origin !== appliedOrigin).map(describeOrigin);
  const [file] = others;
  if (!applied) return { id: found, result: 'in_file', note: `It is defined by ${others.join(', ')}; edit that file.` };
  if (file === undefined) return { id: found, result: 'deleted', note: '' };
  return { id: found, result: 'restored', note: `The version from ${file} is in force again.` };
}

/**
 * After a restart a file is as old as its last edit, wherever in it that was. A version that an applied object had
 * hidden already, and that is still the same, must not come back for that.
 */
function stillHidden(update: SourceUpdate, applied: readonly AppliedObject[]): SourceUpdate {
  const byKey = new Map(applied.map((one) => [objectKey(one.object), one]));
  const put = update.put.map((sourced) => {
    const hiding = byKey.get(objectKey(sourced.object));
    return hiding && sourced.changedAt >= hiding.changedAt && hiding.hides.includes(contentHash(sourced.object))
      ? { ...sourced, changedAt: hiding.changedAt - 1 }
      : sourced;
  });
  return { ...update, put };
}
