import { type ChainExtension, type ChainRole, concernsRole } from '@seine/compile';
import type { TrafficExtension, WasmPlugin } from '@seine/istio';
import { objectKey } from '@seine/k8s';
import { internList, memo } from '@seine/memo';
import type { Mesh, WasmModule } from '@seine/model';

export type ExtensionResource = WasmPlugin | TrafficExtension;

const missing = (reason: string): WasmModule => Object.freeze({ state: 'missing', reason });
const noModule = missing('it needs no module');
const notFetched = missing('the module is not fetched yet');
const noRuntime = missing('this Envoy has no runtime for WebAssembly');

const fileScheme = 'file://';

/** Where nobody fetches modules, as offline: what the resource itself says, with its checksum in the module's place. */
const unfetchedModule = memo('unfetchedModule', (resource: ExtensionResource): WasmModule => {
  const { url, sha256 } = wasmSettings(resource) ?? { url: '' };
  if (url.startsWith(fileScheme)) return Object.freeze({ state: 'proxy-file', path: url.slice(fileScheme.length) });
  return sha256 ? Object.freeze({ state: 'ready', sha256, bytes: Buffer.from(`sha256:${sha256}`) }) : notFetched;
});

/** Whether an extension cannot run because the proxy is not able to. */
export function lacksRuntime({ module }: ChainExtension): boolean {
  return module === noRuntime;
}

function wasmSettings(resource: ExtensionResource) {
  return resource.kind === 'WasmPlugin' ? resource.spec : resource.spec.wasm;
}

function moduleOf(resource: ExtensionResource, modules: Mesh['wasmModules'], lacksWasm: boolean): WasmModule {
  if (!wasmSettings(resource)) return noModule;
  if (lacksWasm) return noRuntime;
  return modules ? (modules.get(objectKey(resource)) ?? notFetched) : unfetchedModule(resource);
}

const chainExtension = memo('chainExtension', (resource: ExtensionResource, module: WasmModule): ChainExtension =>
  Object.freeze({ resource, module }),
);
const internExtensions = internList();

/**
 * Of the extensions that select a proxy those that run on one side of it, each with its module. The same list while
 * nothing of it changes.
 */
export const chainExtensions = memo(
  'chainExtensions',
  (
    selected: readonly ExtensionResource[],
    modules: Mesh['wasmModules'],
    role: ChainRole,
    lacksWasm: boolean,
  ): readonly ChainExtension[] =>
    internExtensions(
      selected
        .filter((resource) => concernsRole(resource, role))
        .map((resource) => chainExtension(resource, moduleOf(resource, modules, lacksWasm))),
    ),
);
