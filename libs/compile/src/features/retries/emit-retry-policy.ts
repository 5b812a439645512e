import { create } from '@bufbuild/protobuf';
import { durationOf, toAny } from '@seine/envoy';
import {
  type RetryPolicy,
  type RetryPolicy_RetryHostPredicate,
  RetryPolicy_RetryHostPredicateSchema,
  RetryPolicy_RetryPrioritySchema,
  RetryPolicySchema,
} from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import { PreviousHostsPredicateSchema } from '@seine/envoy/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js';
import { PreviousPrioritiesConfigSchema } from '@seine/envoy/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js';
import type { HTTPRetry } from '@seine/istio';
import type { MeshConfig } from '@seine/model';
import { istioMilliseconds } from '../connection-pool/istio-duration.js';

/** What Istio retries on unless told otherwise: cases in which the request has not been worked on. */
const defaultRetryOn = 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes';

export interface RetryOptions {
  /** What holds where a route says nothing. */
  readonly mesh: Pick<MeshConfig, 'defaultHttpRetryAttempts' | 'defaultHttpRetryPolicy'>;
  /** The destination balances by hash, so that another host would be the wrong one. */
  readonly consistentHash: boolean;
}

/** `retries` of a route, or the mesh's default. Undefined: no retries (`attempts: 0`). */
export function emitRetryPolicy(stated: HTTPRetry | undefined, options: RetryOptions): RetryPolicy | undefined {
  const retries = stated ?? options.mesh.defaultHttpRetryPolicy;
  const attempts = retries ? (retries.attempts ?? 0) : options.mesh.defaultHttpRetryAttempts;
  if (attempts <= 0) return undefined;
  const { retryOn, retriableStatusCodes } = parseRetryOn(retries?.retryOn);
  const perTryTimeout = positiveDuration(retries?.perTryTimeout);
  const backoff = positiveDuration(retries?.backoff);
  return create(RetryPolicySchema, {
    numRetries: attempts,
    retryOn,
    retriableStatusCodes,
    perTryTimeout,
    hostSelectionRetryMaxAttempts: 5n,
    retryHostPredicate: (retries?.retryIgnorePreviousHosts ?? !options.consistentHash) ? [previousHosts()] : [],
    retryPriority: retries?.retryRemoteLocalities ? previousPriorities() : undefined,
    retryBackOff: backoff && { baseInterval: backoff },
  });
}

/** Numbers in `retryOn` are status codes; naming some means to retry on them. */
function parseRetryOn(text: string | undefined): Pick<RetryPolicy, 'retryOn' | 'retriableStatusCodes'> {
  const words = (text ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  if (words.length === 0) return { retryOn: defaultRetryOn, retriableStatusCodes: [] };
  const isCode = (word: string): boolean => /^[1-5]\d\d$/.test(word);
  const conditions = words.filter((word) => !isCode(word));
  const retriableStatusCodes = words.filter(isCode).map(Number);
  if (retriableStatusCodes.length > 0 && !conditions.includes('retriable-status-codes'))
    conditions.push('retriable-status-codes');
  return { retryOn: conditions.join(','), retriableStatusCodes };
}

/** Envoy refuses zero here, and Istio means "none" by it. */
function positiveDuration(text: string | undefined): ReturnType<typeof durationOf> | undefined {
  const milliseconds = text === undefined ? 0 : istioMilliseconds(text);
  return milliseconds > 0 ? durationOf(milliseconds) : undefined;
}

function previousHosts(): RetryPolicy_RetryHostPredicate {
  return create(RetryPolicy_RetryHostPredicateSchema, {
    name: 'envoy.retry_host_predicates.previous_hosts',
    configType: { case: 'typedConfig', value: toAny(PreviousHostsPredicateSchema, {}) },
  });
}

/** Tries further priorities (remote localities) after every second attempt. */
function previousPriorities(): NonNullable<RetryPolicy['retryPriority']> {
  return create(RetryPolicy_RetryPrioritySchema, {
    name: 'envoy.retry_priorities.previous_priorities',
    configType: { case: 'typedConfig', value: toAny(PreviousPrioritiesConfigSchema, { updateFrequency: 2 }) },
  });
}
