import type { Diagnostic } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';
import type { WasmModule } from '@seine/model';
import { type LoadedModule, type LoaderIo, loadModule } from './load-module.js';
import { type Wanted, wantedModules } from './wanted-modules.js';

export interface WasmModulesOptions extends LoaderIo {
  /** Runs a function after so many milliseconds. @returns what forgets it */
  readonly later: (run: () => void, milliseconds: number) => () => void;
  /** Some module has become ready, or has failed in another way than before: `follow` gives another map now. */
  readonly onChange: () => void;
}

/** How it stands with the module of one resource. */
export interface ModuleStatus {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly url: string;
  readonly state: 'ready' | 'proxy-file' | 'loading' | 'failed';
  /** Of the module in force, which may be the one before. */
  readonly sha256?: string | undefined;
  readonly bytes?: number | undefined;
  /** Why the last try failed. */
  readonly message?: string | undefined;
  /** How often it was tried. */
  readonly tries: number;
}

const firstPauseMs = 1000;
const longestPauseMs = 5 * 60_000;

/** One download, shared by all resources that want the same. */
interface Download {
  tries: number;
  module?: WasmModule;
  failure?: string;
  /** Forgets the next try. */
  cancel?: () => void;
  abandoned: boolean;
}

const loading: WasmModule = Object.freeze({ state: 'missing', reason: 'the module is not fetched yet' });

/**
 * Fetches the modules that resources want, and tries again with growing pauses what failed. A
 * resource whose new module cannot be had keeps the one it had.
 */
export class WasmModules {
  readonly #downloads = new Map<string, Download>();
  /** The last module of each resource. */
  readonly #inForce = new Map<string, WasmModule>();
  #wanted: readonly Wanted[] = [];
  #current: ReadonlyMap<string, WasmModule> = new Map();
  #stopped = false;

  constructor(private readonly options: WasmModulesOptions) {}

  /**
   * What became of the modules that a mesh's resources want, by the key of the resource; begins to fetch those that are new. The
   * same map while nothing changed; a module keeps its identity.
   */
  follow(resources: ReadonlyMap<string, readonly ConfigObject[]>): ReadonlyMap<string, WasmModule> {
    this.#wanted = wantedModules(resources);
    const downloads = new Set(this.#wanted.map(({ download }) => download));
    for (const [key, download] of this.#downloads) if (!downloads.has(key)) this.#forget(key, download);
    for (const { download, request } of this.#wanted)
      if (!this.#downloads.has(download)) {
        this.#downloads.set(download, { tries: 0, abandoned: false });
        void this.#load(download, request);
      }
    return this.#update();
  }

  /** Whether some module has not been tried yet to its end. */
  get isLoading(): boolean {
    return this.#wanted.some(({ download }) => {
      const found = this.#downloads.get(download);
      return found !== undefined && !found.module && found.failure === undefined;
    });
  }

  status(): readonly ModuleStatus[] {
    return this.#wanted.map((wanted) => this.#statusOf(wanted));
  }

  /** A warning for each resource whose module cannot be had. */
  diagnostics(): readonly Diagnostic[] {
    return this.status()
      .filter(({ state }) => state === 'failed')
      .map(({ kind, namespace, name, message = '', sha256 }) => ({
        severity: 'warning' as const,
        code: 'SEINE-WASM-FETCH',
        message: `The module cannot be fetched: ${message}.${sha256 ? ' The one before it stays in force.' : ''}`,
        object: { kind, namespace, name },
        path: kind === 'WasmPlugin' ? 'spec.url' : 'spec.wasm.url',
      }));
  }

  stop(): void {
    this.#stopped = true;
    for (const download of this.#downloads.values()) download.cancel?.();
  }

  #isRunning(): boolean {
    return !this.#stopped;
  }

  #statusOf({ key, resource, request, download }: Wanted): ModuleStatus {
    const { kind, metadata } = resource;
    const found = this.#downloads.get(download);
    const module = this.#inForce.get(key);
    const sha256 = module?.state === 'ready' ? module.sha256 : undefined;
    const done = found?.module?.state === 'proxy-file' ? 'proxy-file' : 'ready';
    return {
      kind,
      namespace: metadata.namespace,
      name: metadata.name,
      url: request.url,
      state: found?.module ? done : found?.failure === undefined ? 'loading' : 'failed',
      sha256,
      bytes: module?.state === 'ready' ? module.bytes.length : undefined,
      message: found?.failure,
      tries: found?.tries ?? 0,
    };
  }

  #forget(key: string, download: Download): void {
    download.abandoned = true;
    download.cancel?.();
    this.#downloads.delete(key);
  }

  async #load(key: string, request: Wanted['request']): Promise<void> {
    const download = this.#downloads.get(key);
    if (!download || !this.#isRunning()) return;
    download.tries++;
    try {
      const result = await loadModule(this.options, request);
      if (download.abandoned) return;
      this.#take(download, result);
    } catch (error) {
      if (download.abandoned) return;
      download.failure = error instanceof Error ? error.message : String(error);
      const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** (download.tries - 1));
      if (this.#isRunning()) download.cancel = this.options.later(() => void this.#load(key, request), pause);
    }
    if (this.#isRunning()) this.options.onChange();
  }

  #take(download: Download, result: LoadedModule): void {
    delete download.failure;
    if (result.kind === 'proxy-file') {
      download.module = Object.freeze({ state: 'proxy-file', path: result.path });
      return;
    }
    download.module = Object.freeze({ state: 'ready', sha256: result.sha256, bytes: result.bytes });
  }

  #update(): ReadonlyMap<string, WasmModule> {
    const next = new Map<string, WasmModule>();
    for (const { key, download } of this.#wanted) next.set(key, this.#moduleOf(key, download));
    for (const key of this.#inForce.keys()) if (!next.has(key)) this.#inForce.delete(key);
    for (const [key, module] of next) this.#inForce.set(key, module);
    const same =
      next.size === this.#current.size && [...next].every(([key, module]) => this.#current.get(key) === module);
    if (!same) this.#current = next;
    return this.#current;
  }

  #moduleOf(key: string, downloadKey: string): WasmModule {
    const before = this.#inForce.get(key);
    const { module, failure } = this.#downloads.get(downloadKey) ?? {};
    if (module) return sameModule(before, module) ? before : module;
    if (before && before.state !== 'missing') return before;
    if (failure === undefined) return loading;
    const reason = `the module cannot be fetched: ${failure}`;
    return before?.state === 'missing' && before.reason === reason
      ? before
      : Object.freeze({ state: 'missing', reason });
  }
}

function sameModule(a: WasmModule | undefined, b: WasmModule): a is WasmModule {
  if (a?.state === 'ready') return b.state === 'ready' && a.sha256 === b.sha256;
  return a?.state === 'proxy-file' && b.state === 'proxy-file' && a.path === b.path;
}
