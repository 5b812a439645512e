import { type Cluster, clustersOf, type ConfigDump, objectBehind, sectionOf } from '../proxy-config/config-dump.js';
import { compareText } from '../proxy-config/compare-text.js';
import { type AuthorizedChain, authorizedChains } from './rbac-filters.js';

/** How a caller's proxy calls an endpoint. `TLS`: with certificates that are not the mesh's. */
export type ClientMode = 'mTLS' | 'TLS' | 'PLAIN TEXT';
/** How a workload takes calls at a port; REFUSED: in no way. */
export type ServerMode = 'STRICT' | 'PERMISSIVE' | 'DISABLE' | 'REFUSED';

export interface TlsCheck {
  /** `reviews.default.svc.cluster.local`, with the subset where there is one. */
  readonly host: string;
  readonly port: number;
  readonly status: 'OK' | 'CONFLICT';
  readonly client: ClientMode;
  /** Whether the caller chooses by what it knows of the endpoint. */
  readonly automatic: boolean;
  readonly server: ServerMode;
  /** DestinationRule that speaks for the caller, `name.namespace`; empty: none. */
  readonly destinationRule: string;
  /** Port of the workload. */
  readonly targetPort: number;
}

interface TlsSocket {
  readonly name?: string;
  readonly typed_config?: {
    readonly common_tls_context?: {
      readonly tls_certificate_sds_secret_configs?: readonly { readonly name?: string }[];
    };
  };
}
interface AnyCluster extends Cluster {
  readonly transport_socket?: TlsSocket;
  readonly transport_socket_matches?: readonly {
    readonly match?: Readonly<Record<string, unknown>>;
    readonly transport_socket?: TlsSocket;
  }[];
}
interface LbEndpoint {
  readonly endpoint?: {
    readonly address?: { readonly socket_address?: { readonly address?: string; readonly port_value?: number } };
  };
  readonly metadata?: { readonly filter_metadata?: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
}
interface EndpointsSection {
  readonly dynamic_endpoint_configs?: readonly { readonly endpoint_config?: Assignment }[];
  readonly static_endpoint_configs?: readonly { readonly endpoint_config?: Assignment }[];
}
interface Assignment {
  readonly cluster_name?: string;
  readonly endpoints?: readonly { readonly lb_endpoints?: readonly LbEndpoint[] }[];
}

function endpointsOf(dump: ConfigDump): ReadonlyMap<string, readonly LbEndpoint[]> {
  const section = sectionOf(dump, 'EndpointsConfigDump') as EndpointsSection;
  const all = [...(section.dynamic_endpoint_configs ?? []), ...(section.static_endpoint_configs ?? [])];
  return new Map(
    all.map(({ endpoint_config: config }) => [
      config?.cluster_name ?? '',
      (config?.endpoints ?? []).flatMap(({ lb_endpoints: list }) => list ?? []),
    ]),
  );
}

const labelsOf = ({ metadata }: LbEndpoint) => metadata?.filter_metadata?.['envoy.transport_socket_match'] ?? {};

/** What a cluster shows to an endpoint: the first match counts, as in Envoy. */
function socketFor(cluster: AnyCluster, endpoint: LbEndpoint): TlsSocket | undefined {
  const labels = labelsOf(endpoint);
  const found = (cluster.transport_socket_matches ?? []).find(({ match = {} }) =>
    Object.entries(match).every(([key, value]) => labels[key] === value),
  );
  return found ? found.transport_socket : cluster.transport_socket;
}

function clientMode(socket: TlsSocket | undefined): ClientMode {
  if (!socket?.name?.endsWith('.tls')) return 'PLAIN TEXT';
  const secrets = socket.typed_config?.common_tls_context?.tls_certificate_sds_secret_configs ?? [];
  return secrets.some(({ name }) => name === 'default') ? 'mTLS' : 'TLS';
}

/** How the chains of a workload take calls to a port: those for the port itself, where there are some. */
function serverMode(chains: readonly AuthorizedChain[], port: number): ServerMode {
  const own = chains.filter((chain) => chain.port === port);
  const relevant = own.length > 0 ? own : chains.filter((chain) => chain.port === undefined);
  const has = (kind: AuthorizedChain['connections']): boolean =>
    relevant.some(({ connections }) => connections === kind);
  if (has('mutual')) return has('plain') ? 'PERMISSIVE' : 'STRICT';
  return has('plain') ? 'DISABLE' : 'REFUSED';
}

function fits(client: ClientMode, server: ServerMode): boolean {
  if (server === 'REFUSED') return false;
  if (client === 'mTLS') return server !== 'DISABLE';
  return client === 'PLAIN TEXT' ? server !== 'STRICT' : server === 'DISABLE';
}

/**
 * Whether a workload's proxy calls another workload as that one takes calls, by what both proxies really have: one entry
 * for each service and port by which the one reaches the other.
 * @param addresses of the workload that is called
 */
export function checkTls(from: ConfigDump, to: ConfigDump, addresses: readonly string[]): readonly TlsCheck[] {
  const chains = authorizedChains(to);
  const endpoints = endpointsOf(from);
  return (clustersOf(from) as readonly AnyCluster[])
    .flatMap((cluster): TlsCheck[] => {
      const [direction, servicePort, subset, host] = (cluster.name ?? '').split('|');
      if (direction !== 'outbound' || host === undefined) return [];
      const all = endpoints.get(cluster.name ?? '') ?? [];
      const endpoint = all.find((one) => addresses.includes(one.endpoint?.address?.socket_address?.address ?? ''));
      if (!endpoint) return [];
      const targetPort = endpoint.endpoint?.address?.socket_address?.port_value ?? 0;
      const client = clientMode(socketFor(cluster, endpoint));
      const server = serverMode(chains, targetPort);
      return [
        {
          host: subset ? `${host} (${subset})` : host,
          port: Number(servicePort),
          status: fits(client, server) ? 'OK' : 'CONFLICT',
          client,
          automatic: (cluster.transport_socket_matches ?? []).length > 0,
          server,
          destinationRule: objectBehind(cluster.metadata),
          targetPort,
        },
      ];
    })
    .sort((a, b) => compareText(a.host, b.host) || a.port - b.port);
}
