import type { Diagnostic } from '@seine/diagnostics';
import type { MeshVersion } from '@seine/pipeline';
import type { ModuleStatus, WasmModules } from '@seine/wasm-fetch';

/** Longest time for which the very first mesh waits for its modules, ms. */
const patienceMs = 15_000;

export interface MeshModulesOptions {
  /** @param onChange to be called when `follow` would give something else */
  readonly modules: (onChange: () => void) => WasmModules;
  /** Takes a mesh into force. */
  readonly serve: (version: MeshVersion) => void;
  readonly later: (run: () => void, milliseconds: number) => () => void;
}

/**
 * Joins the mesh with the WebAssembly modules that its resources want. Meshes are served as they come, and again when a
 * module has come. Only the first one waits a while: proxies that are running have their modules, and must not lose
 * them because pilot has just been started.
 */
export class MeshModules {
  readonly #modules: WasmModules;
  #latest: MeshVersion | undefined;
  #started = false;
  #giveUp: (() => void) | undefined;

  constructor(private readonly options: MeshModulesOptions) {
    this.#modules = options.modules(() => {
      if (this.#latest) this.take(this.#latest);
    });
  }

  take(version: MeshVersion): void {
    this.#latest = version;
    const wasmModules = this.#modules.follow(version.mesh.resources);
    if (!this.#started && this.#modules.isLoading) {
      this.#giveUp ??= this.options.later(() => {
        this.#started = true;
        if (this.#latest) this.take(this.#latest);
      }, patienceMs);
      return;
    }
    this.#started = true;
    this.#giveUp?.();
    this.options.serve(wasmModules.size === 0 ? version : { ...version, mesh: { ...version.mesh, wasmModules } });
  }

  stop(): void {
    this.#giveUp?.();
    this.#modules.stop();
  }

  status(): readonly ModuleStatus[] {
    return this.#modules.status();
  }

  diagnostics(): readonly Diagnostic[] {
    return this.#modules.diagnostics();
  }
}
