import type { Diagnostic } from '@seine/diagnostics';
import type { JwksKeys, KeySourceStatus } from '@seine/jwks-fetch';
import type { MeshVersion } from '@seine/pipeline';
import type { ModuleStatus, WasmModules } from '@seine/wasm-fetch';

/** Longest time for which the very first mesh waits for what is fetched, ms. */
const patienceMs = 15_000;

export interface MeshFetchesOptions {
  /** @param onChange to be called when `follow` would give something else */
  readonly modules: (onChange: () => void) => WasmModules;
  /** Likewise. */
  readonly keys: (onChange: () => void) => JwksKeys;
  /** Takes a mesh into force. */
  readonly serve: (version: MeshVersion) => void;
  readonly later: (run: () => void, milliseconds: number) => () => void;
}

/**
 * Joins the mesh with what its resources name and pilot fetches: WebAssembly modules, and the keys of issuers of tokens. Meshes
 * are served as they come, and again when something has come. Only the first one waits a while: proxies that are running have
 * theirs, and must not lose them because pilot has just been started.
 */
export class MeshFetches {
  readonly #modules: WasmModules;
  readonly #keys: JwksKeys;
  #latest: MeshVersion | undefined;
  #started = false;
  #giveUp: (() => void) | undefined;

  constructor(private readonly options: MeshFetchesOptions) {
    const again = (): void => {
      if (this.#latest) this.take(this.#latest);
    };
    this.#modules = options.modules(again);
    this.#keys = options.keys(again);
  }

  take(version: MeshVersion): void {
    this.#latest = version;
    const wasmModules = this.#modules.follow(version.mesh.resources);
    const keySets = this.#keys.follow(version.mesh.resources);
    if (!this.#started && (this.#modules.isLoading || this.#keys.isLoading)) {
      this.#giveUp ??= this.options.later(() => {
        this.#started = true;
        if (this.#latest) this.take(this.#latest);
      }, patienceMs);
      return;
    }
    this.#started = true;
    this.#giveUp?.();
    const fetched = { ...(wasmModules.size > 0 && { wasmModules }), ...(keySets.size > 0 && { keySets }) };
    const isPlain = wasmModules.size + keySets.size === 0;
    this.options.serve(isPlain ? version : { ...version, mesh: { ...version.mesh, ...fetched } });
  }

  stop(): void {
    this.#giveUp?.();
    this.#modules.stop();
    this.#keys.stop();
  }

  moduleStatus(): readonly ModuleStatus[] {
    return this.#modules.status();
  }

  keyStatus(): readonly KeySourceStatus[] {
    return this.#keys.status();
  }

  diagnostics(): readonly Diagnostic[] {
    return [...this.#modules.diagnostics(), ...this.#keys.diagnostics()];
  }
}
