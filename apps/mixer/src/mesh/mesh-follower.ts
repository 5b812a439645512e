import type { Diagnostic } from '@seine/diagnostics';
import { formatDiagnostic } from '@seine/diagnostics';
import {
  type AdapterKind,
  compilePolicy,
  type Directory,
  type Dispatcher,
  MeshDirectory,
  type MixerPolicy,
  type PolicyObjects,
  policyObjectsOf,
  PolicyRuntime,
  RuleDispatcher,
  type RunningPolicy,
  type RuntimeEvents,
} from '@seine/mixer';
import { defaultMeshConfig, type Mesh, type MeshConfig } from '@seine/model';
import type { Store } from '@seine/ports';
import { emptyMesh, MeshFeed, type MeshVersion } from '@seine/registry';

export interface MeshFollowerOptions {
  /** The mesh log; undefined = there is no mesh, so nobody is known and there are no rules. */
  readonly store?: Store | undefined;
  readonly adapters: readonly AdapterKind[];
  /** What holds where the ConfigMap `istio` says nothing else; default Istio's. */
  readonly config?: MeshConfig | undefined;
  /** Is told of each problem with mixer's objects, once as long as it lasts. */
  readonly onProblem: (message: string) => void;
  /** Is told of bugs and of a store that cannot be read; what was in force stays so. */
  readonly onError: (error: unknown) => void;
  readonly events?: RuntimeEvents | undefined;
  /** After each new policy. */
  readonly onPolicy?: ((policy: MixerPolicy, objects: PolicyObjects) => void) | undefined;
}

/** Between two tries to read a store that failed, ms. */
const retryMs = 1000;

/** Follows the mesh: mixer's rules with their handlers at work, and who is who. */
export class MeshFollower {
  /** Which rules are about a request. */
  readonly dispatcher: Dispatcher;
  readonly #feed: MeshFeed | undefined;
  readonly #config: MeshConfig;
  #runtime: PolicyRuntime | undefined;
  #objects: PolicyObjects = [];
  #mesh: Mesh;
  #directory: MeshDirectory;
  #revision = 0;
  #told: ReadonlySet<string> = new Set();
  #stopped = false;
  #forgetSynced: (() => void) | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(private readonly options: MeshFollowerOptions) {
    const { store, onError } = options;
    this.#config = options.config ?? defaultMeshConfig;
    this.#mesh = emptyMesh(this.#config);
    this.#directory = new MeshDirectory(this.#mesh);
    this.dispatcher = new RuleDispatcher({
      rootNamespace: this.#config.rootNamespace,
      now: Date.now,
      random: Math.random,
    });
    this.#feed =
      store &&
      new MeshFeed({
        store,
        config: this.#config,
        schedule: setImmediate,
        later: (run) => setTimeout(run, retryMs),
        onError,
        onMesh: (version) => this.#take(version),
      });
    if (!store) this.#apply([]);
  }

  /** Follows from when the log has been filled once. */
  async start(): Promise<void> {
    const { store } = this.options;
    if (!store) return;
    if (!(await store.synced())) await this.#untilSynced(store);
    if (!this.#stopped) await this.#feed?.start();
  }

  #untilSynced(store: Store): Promise<void> {
    return new Promise((resolve) => {
      const forget = store.onSynced(() => {
        forget();
        resolve();
      });
      this.#forgetSynced = forget;
    });
  }

  /** Lets go of all handlers, after what waits for them is handed over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#forgetSynced?.();
    this.#feed?.stop();
    await this.#runtime?.close();
  }

  get ready(): boolean {
    return this.#runtime !== undefined;
  }

  /** Of the mesh log, that policy and directory reflect. */
  get revision(): number {
    return this.#revision;
  }

  /** As it is now; undefined until the first whole mesh is in. The same object through all of its versions. */
  policy(): RunningPolicy | undefined {
    return this.#runtime;
  }

  /** As it is now; empty until the first whole mesh is in. */
  directory(): Directory {
    return this.#directory;
  }

  mesh(): Mesh {
    return this.#mesh;
  }

  /** What is wrong with mixer's objects as they are now. */
  problems(): readonly Diagnostic[] {
    return this.#runtime?.policy.problems ?? [];
  }

  objects(): PolicyObjects {
    return this.#objects;
  }

  /** @returns ends it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #take({ mesh, revision }: MeshVersion): void {
    if (this.#stopped) return;
    const before = this.#mesh;
    this.#mesh = mesh;
    this.#revision = revision;
    if (mesh.workloads !== before.workloads || mesh.services !== before.services)
      this.#directory = new MeshDirectory(mesh);
    this.#apply(policyObjectsOf(mesh.resources));
    for (const listener of this.#listeners) listener();
  }

  #apply(objects: PolicyObjects): void {
    if (this.#runtime && objects === this.#objects) return;
    this.#objects = objects;
    const { adapters, events, onPolicy } = this.options;
    const { clusterDomain, rootNamespace } = this.#mesh.config;
    const policy = compilePolicy(objects, { adapters, clusterDomain, previous: this.#runtime?.policy });
    if (this.#runtime) this.#runtime.apply(policy);
    else this.#runtime = new PolicyRuntime(policy, { adapters, rim: { now: Date.now, later }, events, rootNamespace });
    this.#tell(policy.problems);
    onPolicy?.(policy, objects);
  }

  #tell(problems: readonly Diagnostic[]): void {
    const texts = new Set(problems.map(formatDiagnostic));
    for (const text of texts) if (!this.#told.has(text)) this.options.onProblem(text);
    this.#told = texts;
  }
}

/** Whatever waits for an adapter must not keep the process alive. */
function later(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms).unref();
  return () => clearTimeout(timer);
}
