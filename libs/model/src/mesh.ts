import type { ConfigObject } from '@seine/k8s';
import type { ServiceEndpoints } from './endpoint.js';
import type { KeySet } from './key-set.js';
import type { MeshConfig } from './mesh-config.js';
import { isVisibleTo, type MeshService } from './service.js';
import type { WasmModule } from './wasm-module.js';
import type { Workload } from './workload.js';

/**
 * The whole mesh as pilot compiles it: validated, merged over sources, frozen. Every map, and every value in it, keeps
 * its identity from one version to the next while its content is equal; that identity is what compilation is keyed on.
 */
export interface Mesh {
  readonly config: MeshConfig;
  /** By host. */
  readonly services: ReadonlyMap<string, MeshService>;
  /** By host; a service without endpoints has no entry. */
  readonly endpoints: ReadonlyMap<string, ServiceEndpoints>;
  /**
   * By host: what other objects define the same host for some namespaces only (`exportTo`), in order of precedence. See
   * `serviceSeenFrom`. Hosts that one object defines have no entry.
   */
  readonly privateServices: ReadonlyMap<string, readonly PrivateService[]>;
  /**
   * By IP address. Of several at one address (host network, a laptop's 127.0.0.1) one stands under it, the others under
   * `workloadKeyAt`; each is in the map once for each of its addresses.
   */
  readonly workloads: ReadonlyMap<string, Workload>;
  /**
   * Istio resources and Secrets that validated, by kind (`VirtualService`, …), in order of creation time (none = oldest), then
   * namespace/name. ServiceEntry and WorkloadEntry are not among them: they are services, endpoints and workloads.
   */
  readonly resources: ReadonlyMap<string, readonly ConfigObject[]>;
  /**
   * WebAssembly modules by the extension (`wasmModuleKey`) that asks for them; one that is not in the map was not looked for. Absent: nobody
   * fetches modules, as offline.
   */
  readonly wasmModules?: ReadonlyMap<string, WasmModule> | undefined;
  /**
   * Keys of issuers of tokens by what they are found by (`keySource`); those that are not in the map are not known. Absent: none is,
   * as offline.
   */
  readonly keySets?: ReadonlyMap<string, KeySet> | undefined;
}

/** A service beside the one that `Mesh.services` has of its host. */
export interface PrivateService {
  readonly service: MeshService;
  readonly endpoints: ServiceEndpoints | undefined;
}

/** Kubernetes' own, then those of the namespace itself, then those for a few namespaces, then those for all (Istio). */
function precedence({ registry, exportTo, namespace }: MeshService, seenFrom: string): number {
  if (registry === 'kubernetes') return 0;
  if (exportTo === '*') return 3;
  return namespace === seenFrom ? 1 : 2;
}

/**
 * The service that a namespace sees of a host that several objects define; undefined = none of them.
 * @param candidates in order of precedence among equals
 */
export function serviceSeenFrom(namespace: string, candidates: readonly MeshService[]): MeshService | undefined {
  let best: MeshService | undefined;
  for (const candidate of candidates) {
    if (!isVisibleTo(candidate.exportTo, namespace)) continue;
    if (!best || precedence(candidate, namespace) < precedence(best, namespace)) best = candidate;
  }
  return best;
}

/** The key of a workload that shares its address with another. */
export function workloadKeyAt(address: string, namespace: string, name: string): string {
  return `${address}/${namespace}/${name}`;
}
