import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { RetryPolicySchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { HTTPRetry } from '@seine/istio';
import { emitRetryPolicy, type RetryOptions } from './emit-retry-policy.js';

const defaults: RetryOptions = { mesh: { defaultHttpRetryAttempts: 2 }, consistentHash: false };
const emitted = (retries: HTTPRetry | undefined, options: Partial<RetryOptions> = {}): unknown => {
  const policy = emitRetryPolicy(retries, { ...defaults, ...options });
  return policy && toEnvoyJson(RetryPolicySchema, policy);
};
const previousHosts = {
  retry_host_predicate: [
    {
      name: 'envoy.retry_host_predicates.previous_hosts',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
      },
    },
  ],
};
const byDefault = {
  retry_on: 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes',
  num_retries: 2,
  host_selection_retry_max_attempts: '5',
};

describe('emitRetryPolicy', () => {
  it.each<[string, HTTPRetry | undefined, Partial<RetryOptions>, object | undefined]>([
    ["the mesh's default", undefined, {}, { ...byDefault, ...previousHosts }],
    ['no other host with consistent hash', undefined, { consistentHash: true }, byDefault],
    ['none by default', undefined, { mesh: { defaultHttpRetryAttempts: 0 } }, undefined],
    [
      "the mesh's own policy",
      undefined,
      { mesh: { defaultHttpRetryAttempts: 2, defaultHttpRetryPolicy: { attempts: 4, retryOn: 'reset' } } },
      { ...byDefault, ...previousHosts, num_retries: 4, retry_on: 'reset' },
    ],
    [
      "a route's policy before the mesh's, as a whole",
      { attempts: 1 },
      { mesh: { defaultHttpRetryAttempts: 2, defaultHttpRetryPolicy: { attempts: 4, retryOn: 'reset' } } },
      { ...byDefault, ...previousHosts, num_retries: 1 },
    ],
    ['attempts 0', { attempts: 0 }, {}, undefined],
    ['attempts left out', { perTryTimeout: '2s' }, {}, undefined],
    [
      'attempts and time of each',
      { attempts: 5, perTryTimeout: '10s' },
      {},
      { ...byDefault, ...previousHosts, num_retries: 5, per_try_timeout: '10s' },
    ],
    [
      'conditions and status codes',
      { attempts: 3, retryOn: 'gateway-error, 503,connect-failure,409' },
      {},
      {
        ...byDefault,
        ...previousHosts,
        num_retries: 3,
        retry_on: 'gateway-error,connect-failure,retriable-status-codes',
        retriable_status_codes: [503, 409],
      },
    ],
    [
      'status codes alone',
      { attempts: 1, retryOn: '503' },
      {},
      {
        ...byDefault,
        ...previousHosts,
        num_retries: 1,
        retry_on: 'retriable-status-codes',
        retriable_status_codes: [503],
      },
    ],
    [
      'backoff; zero is none',
      { attempts: 1, backoff: '25ms', perTryTimeout: '0s' },
      {},
      { ...byDefault, ...previousHosts, num_retries: 1, retry_back_off: { base_interval: '0.025s' } },
    ],
    ['previous hosts allowed', { attempts: 2, retryIgnorePreviousHosts: false }, {}, byDefault],
    [
      'previous hosts refused in spite of consistent hash',
      { attempts: 2, retryIgnorePreviousHosts: true },
      { consistentHash: true },
      { ...byDefault, ...previousHosts },
    ],
    [
      'remote localities',
      { attempts: 2, retryRemoteLocalities: true },
      {},
      {
        ...byDefault,
        ...previousHosts,
        retry_priority: {
          name: 'envoy.retry_priorities.previous_priorities',
          typed_config: {
            '@type':
              'type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig',
            update_frequency: 2,
          },
        },
      },
    ],
  ])('%s', (_, retries, options, expected) => {
    expect(emitted(retries, options)).toEqual(expected);
  });
});
