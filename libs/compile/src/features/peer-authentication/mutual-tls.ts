import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import { type TransportSocket, TransportSocketSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import {
  SubjectAltNameMatcher_SanType as SanType,
  TlsParameters_TlsProtocol as TlsProtocol,
} from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import { DownstreamTlsContextSchema } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import { isCipherSuite } from '@seine/istio';
import { memo } from '@seine/memo';
import type { MeshConfig } from '@seine/model';
import { agentSecret, meshAuthorityName, ownAuthorityName, workloadSecretName } from '../secrets/sds-config.js';

/** What Istio's sidecars take of TLS 1.2 where `meshMTLS.cipherSuites` says nothing. */
const defaultCipherSuites = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-GCM-SHA256',
];

/**
 * What is offered by ALPN. Not `istio`, which would keep client and server from agreeing on what is really spoken, and
 * not `istio-peer-exchange`: Istio's proxies then send bytes of their own first, which Envoy would hand to the
 * application.
 */
const alpnProtocols = ['h2', 'http/1.1'];

/**
 * Where a client that shows no certificate is turned away; one that shows a bad one is so in the handshake, always.
 * - `handshake`: for bytes, as a server may speak first: nobody may hear it who has not shown one.
 * - `first-byte`: for HTTP, by the filter `seine.single_identity`, which looks at the trust domain too. With TLS 1.3 a client has finished its handshake before
 *   the server can refuse it: whether it hears why, or loses what it has sent, would be a matter of luck. So it hears of
 *   a connection that ends with its first byte, each time, and of the server's identity.
 */
export type Demand = 'handshake' | 'first-byte';

/**
 * The server's side of mutual TLS between workloads: certificate and roots come from the agent, the client must show an
 * identity of the mesh's trust domain or of one of its aliases. The same object for all ports of all workloads.
 */
export const emitMutualTls = memo('mutualTls', (config: MeshConfig, demand: Demand): TransportSocket => {
  const value = toAny(DownstreamTlsContextSchema, {
    requireClientCertificate: demand === 'handshake',
    commonTlsContext: {
      alpnProtocols,
      tlsParams: {
        tlsMinimumProtocolVersion: minimumVersion(config.meshMTLS?.minProtocolVersion),
        tlsMaximumProtocolVersion: TlsProtocol.TLSv1_3,
        cipherSuites: cipherSuites(config.meshMTLS?.cipherSuites),
      },
      tlsCertificateSdsSecretConfigs: [agentSecret(workloadSecretName)],
      validationContextType: {
        case: 'combinedValidationContext',
        value: {
          // Envoy demands a certificate in the handshake where names are to be matched there.
          defaultValidationContext:
            demand === 'handshake' ? { matchTypedSubjectAltNames: trustDomains(config).map(identityOf) } : {},
          // The SPIFFE validator, which the mesh's roots come with, demands one always.
          validationContextSdsSecretConfig: agentSecret(demand === 'handshake' ? meshAuthorityName : ownAuthorityName),
        },
      },
    },
  });
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.tls',
    configType: { case: 'typedConfig', value },
  });
});

/** The mesh's own and those it has had, or shares a root with. */
export function trustDomains({ trustDomain, trustDomainAliases = [] }: MeshConfig): readonly string[] {
  return [...new Set([trustDomain, ...trustDomainAliases])];
}

function identityOf(trustDomain: string) {
  return {
    sanType: SanType.URI,
    matcher: { matchPattern: { case: 'prefix' as const, value: `spiffe://${trustDomain}/` } },
  };
}

function minimumVersion(stated: string | undefined): TlsProtocol {
  return stated === 'TLSV1_3' ? TlsProtocol.TLSv1_3 : TlsProtocol.TLSv1_2;
}

/** Suites that Envoy does not know are left out: it would refuse the whole listener. */
function cipherSuites(stated: readonly string[] = []): string[] {
  const known = [...new Set(stated)].filter(isCipherSuite);
  return known.length > 0 ? known : defaultCipherSuites;
}
