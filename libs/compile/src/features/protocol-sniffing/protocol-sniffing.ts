import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationOf, toAny } from '@seine/envoy';
import type { ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import {
  type FilterChainMatchSchema,
  type ListenerFilter,
  type ListenerFilterChainMatchPredicate,
  ListenerFilterChainMatchPredicateSchema,
  ListenerFilterSchema,
} from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { HttpInspectorSchema } from '@seine/envoy/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js';
import { TlsInspectorSchema } from '@seine/envoy/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js';
import type { MeshConfig } from '@seine/model';

/** What http_inspector reports of plaintext HTTP, taken as ALPN. */
const plaintextHttpAlpns = ['http/1.1', 'h2c', 'http/1.0'];

/** Matches plaintext connections in which http_inspector has recognized HTTP. */
export function plaintextHttpMatch(): MessageInitShape<typeof FilterChainMatchSchema> {
  return { transportProtocol: 'raw_buffer', applicationProtocols: plaintextHttpAlpns };
}

/** First bytes tls_inspector reads at once: enough for most client hellos, an eighth of its default a connection. */
const initialReadBufferSize = 512;

/** @param exceptPorts destination ports on which the client's first bytes must not be waited for */
export function tlsInspector(exceptPorts: readonly number[] = []): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: 'envoy.filters.listener.tls_inspector',
    configType: { case: 'typedConfig', value: toAny(TlsInspectorSchema, { initialReadBufferSize }) },
    filterDisabled: destinationPorts(exceptPorts),
  });
}

/** Must stand behind tls_inspector: it leaves alone what that has found to be TLS. */
export function httpInspector(exceptPorts: readonly number[] = []): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: 'envoy.filters.listener.http_inspector',
    configType: { case: 'typedConfig', value: toAny(HttpInspectorSchema, {}) },
    filterDisabled: destinationPorts(exceptPorts),
  });
}

/** How long a connection may stay silent while it is sniffed; 0 = for ever, as Istio's default. */
export function sniffingTimeout(
  config: MeshConfig,
): Pick<MessageInitShape<typeof ListenerSchema>, 'listenerFiltersTimeout' | 'continueOnListenerFiltersTimeout'> {
  return {
    listenerFiltersTimeout: durationOf(config.protocolDetectionTimeout),
    continueOnListenerFiltersTimeout: true,
  };
}

/** The predicate "destination port is one of these"; none = undefined (an `or` wants two rules or more). */
function destinationPorts(ports: readonly number[]): ListenerFilterChainMatchPredicate | undefined {
  const rules = ports.map((port) =>
    create(ListenerFilterChainMatchPredicateSchema, {
      rule: { case: 'destinationPortRange', value: { start: port, end: port + 1 } },
    }),
  );
  if (rules.length <= 1) return rules[0];
  return create(ListenerFilterChainMatchPredicateSchema, { rule: { case: 'orMatch', value: { rules } } });
}
