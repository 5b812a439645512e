/** Mixer's built-in adapters: where checks are answered, and where telemetry goes. */
import type { AdapterKind } from '@seine/mixer';
import { audit } from './audit/audit.js';
import { denier } from './denier/denier.js';
import { dogstatsd } from './dogstatsd/dogstatsd.js';
import { fluentd } from './fluentd/fluentd.js';
import { grpc } from './grpc/grpc.js';
import { list } from './list/list.js';
import { memquota } from './memquota/memquota.js';
import { noop } from './noop/noop.js';
import { opa } from './opa/opa.js';
import { otlpLogs } from './otlp-logs/otlp-logs.js';
import { otlpMetrics } from './otlp-metrics/otlp-metrics.js';
import { prometheus } from './prometheus/prometheus.js';
import { rbac } from './rbac/rbac.js';
import { redisquota } from './redisquota/redisquota.js';
import { type AdapterRim, processRim } from './rim/rim.js';
import { statsd } from './statsd/statsd.js';
import { stdio } from './stdio/stdio.js';
import { zipkin } from './zipkin/zipkin.js';

export { type AuditVerification, describeVerification, verifyAuditLog, type VerifyOptions } from './audit/verify.js';
export { PrometheusExposition } from './prometheus/exposition.js';
export { type AdapterRim, processRim, type SharedCounts, type TextStream } from './rim/rim.js';

/** The built-in kinds at work with a rim of one's own. */
export function makeAdapterKinds(rim: AdapterRim): readonly AdapterKind[] {
  return [
    ...[
      audit(),
      denier,
      dogstatsd(rim),
      fluentd,
      grpc(rim),
      list(rim),
      memquota,
      noop,
      opa(rim),
      otlpLogs(rim),
      otlpMetrics(rim),
    ],
    ...[prometheus(rim.exposition), rbac, redisquota(rim), statsd(rim), stdio(rim), zipkin(rim)],
  ];
}

/** The built-in kinds, but that nothing can be counted in Redis. */
export const adapterKinds: readonly AdapterKind[] = makeAdapterKinds(processRim());
