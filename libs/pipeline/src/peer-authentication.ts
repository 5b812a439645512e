import {
  type InboundMtls,
  mtlsModeOf,
  type MtlsMode,
  peerAuthenticationProblems,
  resolvePeerAuthentication,
  selectPeerAuthentication,
} from '@seine/compile';
import { type Diagnostic, formatDiagnostic } from '@seine/diagnostics';
import type { PeerAuthentication } from '@seine/istio';
import { internByKey, internList, memo } from '@seine/memo';
import type { Endpoint, Mesh, Proxy, ServiceEndpoints, Workload } from '@seine/model';

const none: readonly never[] = Object.freeze([]);

function allOf({ resources }: Mesh): readonly PeerAuthentication[] {
  return (resources.get('PeerAuthentication') ?? none) as readonly PeerAuthentication[];
}

const internModes = internByKey<InboundMtls>(4096);
const internSelected = internList();

/** Modes that are equal are one object, so that workloads that differ in nothing else share what is compiled. */
const modesOf = memo('inboundMtls', (selected: readonly PeerAuthentication[]): InboundMtls | undefined => {
  const modes = resolvePeerAuthentication(selected);
  if (modes.mode === 'PERMISSIVE' && modes.byPort.size === 0) return undefined;
  return internModes(JSON.stringify([modes.mode, [...modes.byPort]]), () => Object.freeze(modes));
});

const modesFor = memo(
  'peerAuthenticationOf',
  (proxy: Proxy, all: readonly PeerAuthentication[], rootNamespace: string): InboundMtls | undefined =>
    modesOf(internSelected(selectPeerAuthentication(all, proxy, rootNamespace))),
);

/** How clients of a workload must come; undefined: as they like at every port. */
export function peerAuthenticationOf(mesh: Mesh, proxy: Proxy): InboundMtls | undefined {
  const all = allOf(mesh);
  return all.length === 0 ? undefined : modesFor(proxy, all, mesh.config.rootNamespace);
}

/** What of it does not hold, of several proxies; what is said of several at once once. */
export function mtlsProblems(
  mesh: Mesh,
  proxies: readonly Proxy[],
  workload: (proxy: Proxy) => Workload | undefined,
): readonly Diagnostic[] {
  const all = allOf(mesh);
  if (all.length === 0) return none;
  const found = proxies
    .filter(({ type }) => type === 'sidecar')
    .flatMap((proxy) => {
      const ports = workload(proxy)?.inbound.map(({ targetPort }) => targetPort) ?? [];
      return peerAuthenticationProblems(all, proxy, ports, mesh.config.rootNamespace);
    });
  return [...new Map(found.map((problem) => [formatDiagnostic(problem), problem])).values()];
}

function disables({ spec }: PeerAuthentication): boolean {
  return [spec.mtls, ...Object.values(spec.portLevelMtls ?? {})].some((mtls) => mtls?.mode === 'DISABLE');
}

const someDisables = memo('someDisables', (all: readonly PeerAuthentication[]): boolean => all.some(disables));

/** What a policy says of the workloads of one namespace does not depend on those of others. */
const concerning = memo(
  'peerAuthenticationsByNamespace',
  (
    all: readonly PeerAuthentication[],
    rootNamespace: string,
  ): ((namespace: string) => readonly PeerAuthentication[]) => {
    const lists = new Map<string, readonly PeerAuthentication[]>();
    return (namespace) => {
      let list = lists.get(namespace);
      if (!list) {
        const near = all.filter(
          ({ metadata }) => metadata.namespace === namespace || metadata.namespace === rootNamespace,
        );
        lists.set(namespace, (list = internSelected(near)));
      }
      return list;
    };
  },
);

const modeAt = memo(
  'endpointMode',
  (endpoint: Endpoint, near: readonly PeerAuthentication[], rootNamespace: string): MtlsMode => {
    const { labels, workload, port } = endpoint;
    const selected = selectPeerAuthentication(near, { namespace: workload.namespace, labels }, rootNamespace);
    return mtlsModeOf(resolvePeerAuthentication(selected), port);
  },
);

const internEndpoints = internList();
const plain = memo('plainEndpoint', (endpoint: Endpoint): Endpoint =>
  Object.freeze({ ...endpoint, tlsMode: 'disabled' }),
);
const withPlain = memo(
  'plainEndpoints',
  ({ host, byPort }: ServiceEndpoints, found: readonly Endpoint[]): ServiceEndpoints => {
    const turned = new Set(found);
    const lists = [...byPort].map(([port, list]) => {
      const mapped = list.map((endpoint) => (turned.has(endpoint) ? plain(endpoint) : endpoint));
      return [port, Object.freeze(mapped)] as const;
    });
    return Object.freeze({ host, byPort: new Map(lists) });
  },
);

/** The endpoints of a service, those without mutual TLS whose PeerAuthentication is DISABLE at their port. */
function inForce(
  service: ServiceEndpoints,
  near: (namespace: string) => readonly PeerAuthentication[],
  rootNamespace: string,
): ServiceEndpoints {
  const found = [...service.byPort.values()]
    .flat()
    .filter(
      (endpoint) =>
        endpoint.tlsMode === 'istio' &&
        modeAt(endpoint, near(endpoint.workload.namespace), rootNamespace) === 'DISABLE',
    );
  return found.length === 0 ? service : withPlain(service, internEndpoints(found));
}

const internServices = internList();
const byHost = memo(
  'endpointsInForceByHost',
  (list: readonly ServiceEndpoints[]): Mesh['endpoints'] => new Map(list.map((service) => [service.host, service])),
);
const allInForce = memo(
  'endpointsInForce',
  (endpoints: Mesh['endpoints'], all: readonly PeerAuthentication[], rootNamespace: string): Mesh['endpoints'] => {
    const near = concerning(all, rootNamespace);
    const list = [...endpoints.values()].map((service) => inForce(service, near, rootNamespace));
    return list.every((service) => endpoints.get(service.host) === service) ? endpoints : byHost(internServices(list));
  },
);

/** Endpoints as clients are told of them. Where no PeerAuthentication says DISABLE, those of the mesh, at no cost. */
export function endpointsInForce(endpoints: Mesh['endpoints'], mesh: Mesh): Mesh['endpoints'] {
  const all = allOf(mesh);
  return someDisables(all) ? allInForce(endpoints, all, mesh.config.rootNamespace) : endpoints;
}

const internNumbers = internByKey<readonly number[]>(4096);

/** Ports at which every endpoint takes mutual TLS; the same ports, the same list. */
export const mutualPorts = memo('mutualPorts', ({ byPort }: ServiceEndpoints): readonly number[] => {
  const ports = [...byPort].filter(([, list]) => list.every(({ tlsMode }) => tlsMode === 'istio'));
  const numbers = ports.map(([port]) => port);
  return internNumbers(numbers.join(), () => Object.freeze(numbers));
});
