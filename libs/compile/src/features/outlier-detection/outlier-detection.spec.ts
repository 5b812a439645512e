import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { MatchPredicateSchema } from '@seine/envoy/envoy/config/common/matcher/v3/matcher_pb.js';
import { OutlierDetectionSchema } from '@seine/envoy/envoy/config/cluster/v3/outlier_detection_pb.js';
import type { OutlierDetection } from '@seine/istio';
import { emitErrorMatcher, emitOutlierDetection, panicThreshold } from './outlier-detection.js';

describe('emitOutlierDetection', () => {
  it.each<[what: string, settings: OutlierDetection, expected: object]>([
    ['nothing set', {}, {}],
    [
      'everything set',
      {
        consecutive5xxErrors: 7,
        consecutiveGatewayErrors: 5,
        interval: '5m',
        baseEjectionTime: '15m30s',
        maxEjectionPercent: 40,
        splitExternalLocalOriginErrors: true,
        consecutiveLocalOriginFailures: 3,
      },
      {
        consecutive_5xx: 7,
        enforcing_consecutive_5xx: 100,
        consecutive_gateway_failure: 5,
        enforcing_consecutive_gateway_failure: 100,
        interval: '300s',
        base_ejection_time: '930s',
        max_ejection_percent: 40,
        split_external_local_origin_errors: true,
        consecutive_local_origin_failure: 3,
        enforcing_consecutive_local_origin_failure: 100,
        enforcing_local_origin_success_rate: 0,
      },
    ],
    [
      'zero turns a criterion off',
      { consecutive5xxErrors: 0, consecutiveGatewayErrors: 0 },
      {
        consecutive_5xx: 0,
        enforcing_consecutive_5xx: 0,
        consecutive_gateway_failure: 0,
        enforcing_consecutive_gateway_failure: 0,
      },
    ],
    [
      'the deprecated consecutiveErrors counts gateway errors',
      { consecutiveErrors: 4 },
      { enforcing_consecutive_5xx: 0, consecutive_gateway_failure: 4, enforcing_consecutive_gateway_failure: 100 },
    ],
    [
      'the deprecated field yields to the new one',
      { consecutiveErrors: 4, consecutive5xxErrors: 9 },
      { consecutive_5xx: 9, enforcing_consecutive_5xx: 100 },
    ],
    ['local-origin failures need the split', { consecutiveLocalOriginFailures: 3 }, {}],
  ])('%s', (_what, settings, expected) => {
    const message = create(OutlierDetectionSchema, emitOutlierDetection(settings));
    expect(toEnvoyJson(OutlierDetectionSchema, message)).toEqual({ enforcing_success_rate: 0, ...expected });
  });

  it('is off without settings', () => {
    expect(emitOutlierDetection(undefined)).toBeUndefined();
  });
});

describe('panicThreshold', () => {
  it.each([
    [undefined, undefined],
    [{}, 0],
    [{ minHealthPercent: 30 }, 30],
  ])('of %p is %p', (settings, expected) => {
    expect(panicThreshold(settings)).toBe(expected);
  });
});

describe('emitErrorMatcher', () => {
  const status = (code: string) => ({
    http_response_headers_match: { headers: [{ name: ':status', string_match: { exact: code } }] },
  });

  it.each<[codes: number[], expected: object]>([
    [[429], status('429')],
    [[500, 503], { or_match: { rules: [status('500'), status('503')] } }],
  ])('%p', (outlierDetectionHttpErrorCodes, expected) => {
    const matcher = create(MatchPredicateSchema, emitErrorMatcher({ outlierDetectionHttpErrorCodes }));
    expect(toEnvoyJson(MatchPredicateSchema, matcher)).toEqual(expected);
  });

  it.each([undefined, {}, { outlierDetectionHttpErrorCodes: [] }])('%p leaves it to Envoy', (settings) => {
    expect(emitErrorMatcher(settings)).toBeUndefined();
  });
});
