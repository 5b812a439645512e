import {
  indexSidecars,
  type OutboundFallback,
  outboundFallback,
  resolveDestination,
  selectSidecar,
  type SidecarIndex,
} from '@seine/compile';
import type { Sidecar } from '@seine/istio';
import { internByKey, memo } from '@seine/memo';
import type { Mesh, MeshConfig, Proxy } from '@seine/model';
import type { ClientKind } from './client-kind.js';
import { egressProxyHost } from './egress.js';
import type { Services } from './visibility.js';

const noSidecars: readonly Sidecar[] = Object.freeze([]);

const selected = memo('sidecarOf', (proxy: Proxy, index: SidecarIndex, rootNamespace: string): Sidecar | undefined =>
  selectSidecar(index, proxy, rootNamespace),
);

/** The Sidecar in force for a proxy; gateways have none. */
export function sidecarOf(mesh: Mesh, proxy: Proxy): Sidecar | undefined {
  // The registry has validated them against their kind.
  const all = (mesh.resources.get('Sidecar') ?? noSidecars) as readonly Sidecar[];
  if (all.length === 0 || proxy.type === 'router') return undefined;
  return selected(proxy, indexSidecars(all), mesh.config.rootNamespace);
}

const internFallback = internByKey<OutboundFallback>(256);

/** The cluster of `egressProxy`: its port is the one it states, else the service's first. */
function egressProxyCluster(sidecar: Sidecar, services: Services, config: MeshConfig): string | undefined {
  const proxy = sidecar.spec.outboundTrafficPolicy?.egressProxy;
  const host = egressProxyHost(sidecar, config.clusterDomain);
  if (!proxy || host === undefined) return undefined;
  const service = services.get(host);
  const destinations = new Map(service && [[host, { host, service, rule: undefined }]]);
  const port = service?.ports[0]?.port ?? 0;
  const { namespace } = sidecar.metadata;
  return resolveDestination(proxy, { namespace, port, tls: false, destinations, config }).cluster;
}

/**
 * Where a client's traffic to unknown destinations goes: as its Sidecar says, else the mesh. A Sidecar that has
 * `outboundTrafficPolicy` decides alone; the mode it leaves out is ALLOW_ANY.
 */
export function fallbackOf(
  sidecar: Sidecar | undefined,
  services: Services,
  kind: ClientKind,
  config: MeshConfig,
): OutboundFallback {
  const policy = sidecar?.spec.outboundTrafficPolicy;
  const fallback = outboundFallback(
    {
      mode: policy ? (policy.mode ?? 'ALLOW_ANY') : config.outboundTrafficPolicy,
      egressProxy: sidecar && policy ? egressProxyCluster(sidecar, services, config) : undefined,
    },
    kind.withoutOriginalDestination,
  );
  return internFallback(JSON.stringify(fallback), () => Object.freeze(fallback));
}
