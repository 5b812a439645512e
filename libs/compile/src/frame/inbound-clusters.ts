import { create } from '@bufbuild/protobuf';
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { ConnectionPoolSettings, Sidecar } from '@seine/istio';
import type { InboundPort, Protocol, Proxy } from '@seine/model';
import { emitConnectionPool } from '../features/connection-pool/connection-pool.js';
import { emitHttpProtocol } from '../features/connection-pool/http-protocol.js';
import { ingressProtocol, isDialled } from '../features/sidecar/ingress-listener.js';
import type { InboundInput } from '../inputs.js';
import type { Fragment } from './clusters-fragment.js';
import { countsTraffic, peerNamespace, serviceLabels } from '../telemetry/peer-metadata.js';
import { InboundPassthroughCluster, inboundClusterName } from './cluster-names.js';
import { emitPassthrough } from './clusters-static.js';
import { emitAddress } from './endpoints-message.js';

type Init = Fragment<typeof ClusterSchema>;
type IngressListener = NonNullable<Sidecar['spec']['ingress']>[number];

/** One port the sidecar takes traffic for. */
interface InboundTarget {
  readonly port: number;
  readonly protocol: Protocol;
  /** Where the application listens; undefined = at the connection's original destination. */
  readonly application: { readonly address: string; readonly port: number } | undefined;
  readonly pool: ConnectionPoolSettings | undefined;
  readonly ports: readonly InboundPort[];
}

/**
 * Sidecar and application share an address, so the sidecar's own connections need another source for iptables to let
 * them through instead of sending them back to the sidecar (Istio's 127.0.0.6).
 */
const upstreamBindConfig: Init['upstreamBindConfig'] = {
  sourceAddress: { address: '127.0.0.6', portSpecifier: { case: 'portValue', value: 0 } },
};

/**
 * The clusters that lead from a sidecar to its own application: one per port that the workload serves, or per ingress
 * listener of its Sidecar resource; with iptables also InboundPassthroughCluster for the ports nobody declared.
 */
export function emitInboundClusters(input: InboundInput): Cluster[] {
  const targets = input.sidecar?.spec.ingress?.length ? ingressTargets(input) : workloadTargets(input);
  const clusters = targets.map((target) => emitInboundCluster(target, input));
  return input.proxy.interceptionMode === 'NONE' ? clusters : [...clusters, emitInboundPassthrough(input)];
}

function emitInboundPassthrough({ config }: InboundInput): Cluster {
  return create(ClusterSchema, { ...emitPassthrough(InboundPassthroughCluster, config), upstreamBindConfig });
}

/** Several services may select one port; it is one cluster, and the first service (they are sorted) gives its protocol. */
function workloadTargets({ proxy, workload, sidecar, pools }: InboundInput): readonly InboundTarget[] {
  const byPort = new Map<number, InboundPort[]>();
  for (const inbound of workload?.inbound ?? []) {
    if (inbound.protocol === 'UDP') continue;
    const list = byPort.get(inbound.targetPort);
    if (list) list.push(inbound);
    else byPort.set(inbound.targetPort, [inbound]);
  }
  return [...byPort].map(([port, ports]) => ({
    port,
    protocol: ports[0]?.protocol ?? 'TCP',
    application: proxy.interceptionMode === 'NONE' ? loopback(proxy, port) : undefined,
    pool: sidecar?.spec.inboundConnectionPool ?? pools?.[port],
    ports,
  }));
}

/** Without iptables the sidecar holds the workload's port, and the application listens on loopback, perhaps elsewhere. */
function loopback(proxy: Proxy, port: number) {
  return { address: '127.0.0.1', port: proxy.appPorts.get(port) ?? port };
}

function ingressTargets({ proxy, workload, sidecar, pools }: InboundInput): readonly InboundTarget[] {
  return (sidecar?.spec.ingress ?? []).flatMap((listener) => {
    const port = listener.port.number;
    if (port === undefined) return [];
    return [
      {
        port,
        protocol: ingressProtocol(listener),
        application:
          defaultEndpoint(listener, proxy) ??
          (proxy.interceptionMode === 'NONE' || isDialled(listener) ? loopback(proxy, port) : undefined),
        pool: listener.connectionPool ?? sidecar?.spec.inboundConnectionPool ?? pools?.[port],
        ports: workload?.inbound.filter((inbound) => inbound.targetPort === port) ?? [],
      },
    ];
  });
}

/** `127.0.0.1:p`, `[::1]:p`, `0.0.0.0:p` or `[::]:p` (the workload's own address), `unix:///path`. */
function defaultEndpoint(listener: IngressListener, proxy: Proxy): InboundTarget['application'] {
  const text = listener.defaultEndpoint;
  if (!text) return undefined;
  if (text.startsWith('unix://')) return { address: text, port: 0 };
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
  const ownAddress = host === '' || host === '0.0.0.0' || host === '::';
  return { address: ownAddress ? (proxy.ipAddresses[0] ?? '127.0.0.1') : host, port: Number(text.slice(colon + 1)) };
}

function emitInboundCluster(target: InboundTarget, input: InboundInput): Cluster {
  const name = inboundClusterName(target.port);
  const { application } = target;
  const redirected = input.proxy.interceptionMode !== 'NONE';
  const toOwnAddress = application === undefined || input.proxy.ipAddresses.includes(application.address);
  return create(ClusterSchema, {
    name,
    altStatName: `${name};`,
    ...(application ? emitStatic(name, application) : originalDestination),
    ...(redirected && toOwnAddress && { upstreamBindConfig }),
    ...emitConnectionPool(target.pool, undefined, input.config),
    typedExtensionProtocolOptions: emitHttpProtocol(target.protocol, { connectionPool: target.pool }),
    metadata: emitMetadata(target, input),
  });
}

const originalDestination: Init = {
  clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST },
  lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
};

function emitStatic(clusterName: string, application: { address: string; port: number }): Init {
  const address = emitAddress(application.address, application.port);
  return {
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.STATIC },
    loadAssignment: {
      clusterName,
      endpoints: [{ lbEndpoints: [{ hostIdentifier: { case: 'endpoint', value: { address } } }] }],
    },
  };
}

/** Whose the port is; metrics count for the first of the services. */
function emitMetadata({ ports }: InboundTarget, input: InboundInput): Init['metadata'] {
  const services = describeServices(ports, input);
  const [first] = services;
  return {
    filterMetadata: {
      istio: { services },
      ...(first && countsTraffic(input.config) && { [peerNamespace]: serviceLabels(first) }),
    },
  };
}

/** Services by their hosts; a Kubernetes host names the service and its namespace itself. */
function describeServices(ports: readonly InboundPort[], { config, proxy }: InboundInput) {
  const suffix = `.svc.${config.clusterDomain}`;
  return [...new Set(ports.map((port) => port.serviceHost))].map((host) => {
    const [name, namespace] = host.endsWith(suffix) ? host.slice(0, -suffix.length).split('.') : [];
    return { host, name: name ?? host, namespace: namespace ?? proxy.namespace };
  });
}
