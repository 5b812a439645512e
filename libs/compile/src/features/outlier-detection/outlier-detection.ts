import type { MatchPredicateSchema } from '@seine/envoy/envoy/config/common/matcher/v3/matcher_pb.js';
import type { OutlierDetectionSchema } from '@seine/envoy/envoy/config/cluster/v3/outlier_detection_pb.js';
import type { OutlierDetection } from '@seine/istio';
import type { Fragment } from '../../frame/clusters-fragment.js';
import { istioDuration } from '../connection-pool/istio-duration.js';

/**
 * Passive health checking (Envoy docs, "Outlier detection"). Ejection by success rate is always off, as Istio has no
 * field for it and Envoy's default is on.
 */
export function emitOutlierDetection(
  settings: OutlierDetection | undefined,
): Fragment<typeof OutlierDetectionSchema> | undefined {
  if (!settings) return undefined;
  return {
    enforcingSuccessRate: 0,
    ...consecutiveErrors(settings),
    ...(settings.interval && { interval: istioDuration(settings.interval) }),
    ...(settings.baseEjectionTime && { baseEjectionTime: istioDuration(settings.baseEjectionTime) }),
    ...(settings.maxEjectionPercent && { maxEjectionPercent: settings.maxEjectionPercent }),
    ...(settings.splitExternalLocalOriginErrors && localOrigin(settings)),
  };
}

/** A threshold of 0 means "do not eject for this": Envoy says so by an enforcing percentage of 0. */
function enforcing(threshold: number): number {
  return threshold > 0 ? 100 : 0;
}

function consecutiveErrors(settings: OutlierDetection): Fragment<typeof OutlierDetectionSchema> {
  const server = settings.consecutive5xxErrors;
  const gateway = settings.consecutiveGatewayErrors;
  if (server === undefined && gateway === undefined && settings.consecutiveErrors)
    // The deprecated field counted gateway errors only (istio.io/api, consecutive_errors).
    return {
      enforcingConsecutive5xx: 0,
      consecutiveGatewayFailure: settings.consecutiveErrors,
      enforcingConsecutiveGatewayFailure: 100,
    };
  return {
    ...(server !== undefined && { consecutive5xx: server, enforcingConsecutive5xx: enforcing(server) }),
    ...(gateway !== undefined && {
      consecutiveGatewayFailure: gateway,
      enforcingConsecutiveGatewayFailure: enforcing(gateway),
    }),
  };
}

function localOrigin(settings: OutlierDetection): Fragment<typeof OutlierDetectionSchema> {
  const failures = settings.consecutiveLocalOriginFailures ?? 0;
  return {
    splitExternalLocalOriginErrors: true,
    enforcingLocalOriginSuccessRate: 0,
    ...(failures > 0 && { consecutiveLocalOriginFailure: failures, enforcingConsecutiveLocalOriginFailure: 100 }),
  };
}

/**
 * The share of healthy hosts below which Envoy ignores health ("panic"), in percent. Istio turns panic off (0) as soon
 * as outlier detection is on: small services would reach Envoy's 50 % too easily.
 */
export function panicThreshold(settings: OutlierDetection | undefined): number | undefined {
  return settings ? (settings.minHealthPercent ?? 0) : undefined;
}

/** Which responses count as errors, where the user names status codes; undefined leaves Envoy's own rule (5xx). */
export function emitErrorMatcher(
  settings: OutlierDetection | undefined,
): Fragment<typeof MatchPredicateSchema> | undefined {
  const codes = settings?.outlierDetectionHttpErrorCodes ?? [];
  if (codes.length === 0) return undefined;
  const rules = codes.map(statusIs);
  return rules.length === 1 ? rules[0] : { rule: { case: 'orMatch', value: { rules } } };
}

function statusIs(code: number): Fragment<typeof MatchPredicateSchema> {
  return {
    rule: {
      case: 'httpResponseHeadersMatch',
      value: {
        headers: [
          {
            name: ':status',
            headerMatchSpecifier: {
              case: 'stringMatch',
              value: { matchPattern: { case: 'exact', value: String(code) } },
            },
          },
        ],
      },
    },
  };
}
