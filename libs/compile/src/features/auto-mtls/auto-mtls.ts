import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import {
  type Cluster_TransportSocketMatch,
  Cluster_TransportSocketMatchSchema,
  type ClusterSchema,
} from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { type TransportSocket, TransportSocketSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { RawBufferSchema } from '@seine/envoy/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js';
import type { TrafficPolicy } from '@seine/istio';
import type { Endpoint, MeshConfig, MeshService } from '@seine/model';
import type { Fragment } from '../../frame/clusters-fragment.js';
import { emitTransportSocket, type TransportContext } from '../client-tls/client-tls.js';
import type { Discovery } from '../discovery-type/discovery-type.js';

/** Where Envoy looks for what an endpoint wants of `transport_socket_matches`. */
const matchNamespace = 'envoy.transport_socket_match';

/** The metadata of an endpoint whose sidecar takes mutual TLS; nothing for others. */
export function emitTlsMode({ tlsMode }: Pick<Endpoint, 'tlsMode'>) {
  return tlsMode === 'istio' ? { [matchNamespace]: { tlsMode } } : undefined;
}

/**
 * Whether mutual TLS is used by itself towards endpoints that take it: a DestinationRule that says anything of `tls`
 * goes before, and what is outside the mesh has none of its identities (Istio: MeshConfig.enableAutoMtls).
 * @param stated the policy as the rule has it
 */
export function isAutomatic(
  stated: TrafficPolicy,
  service: Pick<MeshService, 'external'>,
  config: Pick<MeshConfig, 'enableAutoMtls'>,
): boolean {
  return config.enableAutoMtls !== false && stated.tls === undefined && !service.external;
}

/** How the connections of a cluster are carried: as the policy says, else endpoint by endpoint. */
export function emitTransport(
  policy: TrafficPolicy,
  context: TransportContext,
  discovery: Discovery,
): Pick<Fragment<typeof ClusterSchema>, 'transportSocket' | 'transportSocketMatches'> {
  const { mesh } = context;
  const stated = { transportSocket: emitTransportSocket(policy, context) };
  if (!mesh?.automatic || discovery === 'dynamic-forward-proxy') return stated;
  const mutual = emitTransportSocket({ ...policy, tls: { mode: 'ISTIO_MUTUAL' } }, context);
  if (!mutual) return stated;
  // Hosts found by the connection's original destination have no metadata: it is all of them or none.
  if (discovery === 'original-dst') return mesh.everyEndpoint ? { transportSocket: mutual } : stated;
  return {
    transportSocketMatches: [
      socketMatch('tlsMode-istio', { tlsMode: 'istio' }, mutual),
      socketMatch('tlsMode-disabled', {}, stated.transportSocket ?? rawBuffer),
    ],
  };
}

const rawBuffer = create(TransportSocketSchema, {
  name: 'envoy.transport_sockets.raw_buffer',
  configType: { case: 'typedConfig', value: toAny(RawBufferSchema, {}) },
});

function socketMatch(
  name: string,
  match: Readonly<Record<string, string>>,
  transportSocket: TransportSocket,
): Cluster_TransportSocketMatch {
  return create(Cluster_TransportSocketMatchSchema, { name, match, transportSocket });
}

const spiffe = 'spiffe://';

/**
 * The identities that workloads behind a service may show: the accounts of its endpoints, each in the mesh's trust
 * domain and all its aliases, and what a ServiceEntry says. Sorted; empty = none is known, and all of the mesh may.
 */
export function peerIdentities(
  { serviceAccounts, subjectAltNames }: Pick<MeshService, 'serviceAccounts' | 'subjectAltNames'>,
  { trustDomainAliases = [] }: Pick<MeshConfig, 'trustDomainAliases'>,
): readonly string[] {
  const stated = [...serviceAccounts, ...subjectAltNames];
  const aliased = stated.flatMap((identity) => {
    const slash = identity.startsWith(spiffe) ? identity.indexOf('/', spiffe.length) : -1;
    return slash < 0 ? [] : trustDomainAliases.map((domain) => `${spiffe}${domain}${identity.slice(slash)}`);
  });
  return aliased.length + subjectAltNames.length === 0 ? stated : [...new Set([...stated, ...aliased])].sort();
}
