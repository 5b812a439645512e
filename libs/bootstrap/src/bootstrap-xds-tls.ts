import type { MessageInitShape } from '@bufbuild/protobuf';
import { grpcSecret, toAny } from '@seine/envoy';
import type { TransportSocketSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { SubjectAltNameMatcher_SanType } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import { UpstreamTlsContextSchema } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import { isIpAddress } from '@seine/model';
import type { BootstrapOptions } from './bootstrap-options.js';

/** The agent beside the proxy, as emitted configuration names it too. */
export const agentClusterName = 'sds-grpc';

/** What ADS needs to come up cannot come over ADS. */
function agentSecret(name: string) {
  return grpcSecret(name, agentClusterName);
}

/**
 * Mutual TLS to pilot: the workload's certificate and the mesh's roots come from the agent, and whoever answers must
 * prove to be pilot, by its one SPIFFE ID. Undefined = plain text.
 * @throws RangeError where an identity is expected of pilot, and there is no agent to have a certificate from
 */
export function xdsTransportSocket({
  xds: { host, identity },
  agentSocket,
}: Pick<BootstrapOptions, 'xds' | 'agentSocket'>): MessageInitShape<typeof TransportSocketSchema> | undefined {
  if (identity === undefined) return undefined;
  if (agentSocket === undefined)
    throw new RangeError('xDS over mutual TLS needs agentSocket: where does the certificate come from?');
  const pilot = {
    sanType: SubjectAltNameMatcher_SanType.URI,
    matcher: { matchPattern: { case: 'exact' as const, value: identity } },
  };
  return {
    name: 'envoy.transport_sockets.tls',
    configType: {
      case: 'typedConfig',
      value: toAny(UpstreamTlsContextSchema, {
        ...(!isIpAddress(host) && { sni: host }),
        commonTlsContext: {
          alpnProtocols: ['h2'],
          tlsCertificateSdsSecretConfigs: [agentSecret('default')],
          validationContextType: {
            case: 'combinedValidationContext',
            value: {
              defaultValidationContext: { matchTypedSubjectAltNames: [pilot] },
              validationContextSdsSecretConfig: agentSecret('ROOTCA'),
            },
          },
        },
      }),
    },
  };
}
