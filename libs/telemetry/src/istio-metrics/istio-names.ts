import { familyOf, type MetricFamilies } from '../exposition/families.js';

/** What Envoy puts before the names of Istio's metrics (see the feature telemetry-metrics). */
const envoyPrefix = 'envoy_seine_';

/** How Envoy writes that an operator of a log has no value. */
const missing = /="(?:-)?"/g;

/**
 * Istio's metrics under Istio's names: without Envoy's prefix, and with `unknown` where a proxy had nothing to say, as
 * Istio's own Envoy writes them. Other families are left as they are.
 */
export function withIstioNames(families: MetricFamilies): MetricFamilies {
  const renamed: MetricFamilies = new Map();
  for (const [name, family] of families) {
    if (!name.startsWith(envoyPrefix)) {
      renamed.set(name, family);
      continue;
    }
    const target = familyOf(renamed, name.slice(envoyPrefix.length), family.type);
    target.help = family.help;
    for (const [key, value] of family.series) {
      const series = withUnknown(key.slice(envoyPrefix.length));
      // Two spellings of "unknown" may have become one series.
      target.series.set(series, (target.series.get(series) ?? 0) + value);
    }
  }
  return renamed;
}

/** Labels that Istio leaves empty where there is nothing to say. */
const mayBeEmpty = /(?:grpc_response_status|response_flags)$/;

function withUnknown(key: string): string {
  if (!key.includes('=""') && !key.includes('="-"')) return key;
  return key.replace(missing, (found, at: number) => (mayBeEmpty.test(key.slice(0, at)) ? found : '="unknown"'));
}
