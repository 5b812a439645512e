import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import { type Metadata, MetadataSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { ConfigSchema } from '@seine/envoy/envoy/extensions/filters/http/set_filter_state/v3/set_filter_state_pb.js';
import {
  type HttpFilter,
  HttpFilterSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { UpstreamProtocol } from '../connection-pool/http-protocol.js';

/**
 * By ALPN the server's sidecar knows what is within mutual TLS before it has read a byte of it. A cluster serves HTTP
 * and plain TCP alike, so what its TLS offers says TCP, and requests say otherwise: the cluster's metadata has what they
 * are to offer, and a filter of the client's listener puts it in place (Istio has a filter of its own for it).
 */
const alpnNamespace = 'seine.mtls';

const offered: Readonly<Record<UpstreamProtocol, string>> = {
  http1: 'istio-http/1.1,istio,http/1.1',
  http2: 'istio-h2,istio,h2',
  // Both versions go through such a cluster; naming neither of the real ones leaves it to the server to see which it is.
  downstream: 'istio-http/1.1,istio-h2,istio',
};

/** Metadata of a cluster whose endpoints may take mutual TLS. */
export function emitHttpAlpn(protocol: UpstreamProtocol) {
  return { [alpnNamespace]: { alpn: offered[protocol] } };
}

/** The same metadata without what requests are to offer: of a cluster that hands on TLS that it has not begun. */
export function withoutHttpAlpn(metadata: Metadata | undefined): Metadata | undefined {
  if (!metadata?.filterMetadata[alpnNamespace]) return metadata;
  const others = Object.entries(metadata.filterMetadata).filter(([namespace]) => namespace !== alpnNamespace);
  return create(MetadataSchema, { ...metadata, filterMetadata: Object.fromEntries(others) });
}

/** The filter that gives a request's connection the ALPN of its cluster, and leaves those of other clusters alone. */
export function emitAlpnFilter(): HttpFilter {
  const value = toAny(ConfigSchema, {
    onRequestHeaders: [
      {
        key: { case: 'objectKey', value: 'envoy.network.application_protocols' },
        value: {
          case: 'formatString',
          value: {
            format: {
              case: 'textFormatSource',
              value: { specifier: { case: 'inlineString', value: `%METADATA(CLUSTER:${alpnNamespace}:alpn)%` } },
            },
            omitEmptyValues: true,
          },
        },
        skipIfEmpty: true,
      },
    ],
  });
  return create(HttpFilterSchema, {
    name: 'envoy.filters.http.set_filter_state',
    configType: { case: 'typedConfig', value },
  });
}
