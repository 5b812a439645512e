import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CustomTagSchema } from '@seine/envoy/envoy/type/tracing/v3/custom_tag_pb.js';
import type { CustomTags, TracingTarget } from '../../telemetry/resolve-tracing.js';

type Tag = MessageInitShape<typeof CustomTagSchema>;

/** Istio's own tags, from the environment of the proxy, so that all workloads that share a listener have the same bytes. */
const istioTags: readonly (readonly [tag: string, variable: string, otherwise: string])[] = [
  ['istio.canonical_revision', 'SEINE_CANONICAL_REVISION', 'latest'],
  ['istio.canonical_service', 'SEINE_CANONICAL_SERVICE', 'unknown'],
  ['istio.cluster_id', 'SEINE_CLUSTER', 'unknown'],
  ['istio.mesh_id', 'SEINE_MESH_ID', 'unknown'],
  ['istio.namespace', 'SEINE_WORKLOAD_NAMESPACE', 'default'],
];

/** The tags of spans, sorted by name; a tag that the user defines goes before Istio's of that name. */
export function emitCustomTags({ istioTags: enabled, customTags }: TracingTarget): readonly Tag[] {
  const own: readonly Tag[] = istioTags.map(([tag, name, defaultValue]) => ({
    tag,
    type: { case: 'environment', value: { name, defaultValue } },
  }));
  const given = Object.entries(customTags).flatMap(([tag, source]) => emitTag(tag, source));
  const names = new Set(given.map(({ tag }) => tag));
  const all = [...(enabled ? own.filter(({ tag }) => !names.has(tag)) : []), ...given];
  return all.sort((a, b) => ((a.tag ?? '') < (b.tag ?? '') ? -1 : 1));
}

function emitTag(tag: string, { literal, environment, header, formatter }: CustomTags[string]): readonly Tag[] {
  if (literal) return [{ tag, type: { case: 'literal', value: { value: literal.value } } }];
  if (environment) {
    const { name, defaultValue = '' } = environment;
    return [{ tag, type: { case: 'environment', value: { name, defaultValue } } }];
  }
  if (header) {
    const { name, defaultValue = '' } = header;
    return [{ tag, type: { case: 'requestHeader', value: { name, defaultValue } } }];
  }
  return formatter ? [{ tag, type: { case: 'value', value: formatter.value } }] : [];
}
