import { resolveTelemetry } from '@seine/compile';
import type { Telemetry } from '@seine/istio';
import { canonicalName, type MeshConfig, type Proxy } from '@seine/model';

const sides = ['CLIENT', 'SERVER'] as const;

/**
 * What traces call a proxy's service (`defaultConfig.tracingServiceName`), for tracers that have to be told. Undefined
 * where none of them is in force: proxies of different services then share what is compiled.
 */
export function tracedServiceName(
  telemetry: readonly Telemetry[],
  config: MeshConfig,
  proxy: Proxy,
): string | undefined {
  const isTold = sides.some((side) => {
    const provider = resolveTelemetry(telemetry, config, side).tracing?.provider;
    return provider?.opentelemetry !== undefined || provider?.datadog !== undefined;
  });
  if (!isTold) return undefined;
  const { labels, namespace, workloadName, name } = proxy;
  const workload = workloadName || name;
  switch (config.defaultConfig.tracingServiceName) {
    case 'CANONICAL_NAME_ONLY':
      return canonicalName(labels, workload);
    case 'CANONICAL_NAME_AND_NAMESPACE':
      return `${canonicalName(labels, workload)}.${namespace}`;
    default:
      return `${labels['app'] ?? workload}.${namespace}`;
  }
}
