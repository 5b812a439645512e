import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { DurationSchema } from '@bufbuild/protobuf/wkt';
import { durationOf } from '@seine/envoy';
import {
  type CircuitBreakers_Thresholds_RetryBudget,
  CircuitBreakers_Thresholds_RetryBudgetSchema,
  type CircuitBreakers_ThresholdsSchema,
} from '@seine/envoy/envoy/config/cluster/v3/circuit_breaker_pb.js';
import type { TcpKeepaliveSchema } from '@seine/envoy/envoy/config/core/v3/address_pb.js';
import type { ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { ConnectionPoolSettings, TrafficPolicy } from '@seine/istio';
import type { MeshConfig } from '@seine/model';
import type { Fragment } from '../../frame/clusters-fragment.js';
import { istioDuration } from './istio-duration.js';

type PoolFragment = Pick<
  Fragment<typeof ClusterSchema>,
  'connectTimeout' | 'circuitBreakers' | 'upstreamConnectionOptions'
>;
type Keepalive = NonNullable<ConnectionPoolSettings['tcp']>['tcpKeepalive'];
/** What pools take from the mesh where they say nothing themselves. */
export type PoolDefaults = Pick<MeshConfig, 'connectTimeout' | 'tcpKeepalive'>;
type RetryBudget = NonNullable<TrafficPolicy['retryBudget']>;

/** No limit: Envoy's own defaults (1024 connections and requests, 3 retries) are too low for a mesh that does not ask for any. */
const unlimited = 0xffff_ffff;

/** Connection limits of a cluster (Envoy docs, "Circuit breaking"), connect timeout and TCP keep-alive. */
export function emitConnectionPool(
  pool: ConnectionPoolSettings | undefined,
  retryBudget: RetryBudget | undefined,
  mesh: PoolDefaults,
): PoolFragment {
  const keepalive = emitKeepalive(mesh.tcpKeepalive, pool?.tcp?.tcpKeepalive);
  return {
    connectTimeout: pool?.tcp?.connectTimeout
      ? istioDuration(pool.tcp.connectTimeout)
      : durationOf(mesh.connectTimeout),
    circuitBreakers: { thresholds: [thresholds(pool, retryBudget)] },
    ...(keepalive && { upstreamConnectionOptions: { tcpKeepalive: keepalive } }),
  };
}

/** Field by field, the destination's before the mesh's; 0 leaves it to the system. */
function emitKeepalive(mesh: Keepalive, own: Keepalive): Fragment<typeof TcpKeepaliveSchema> | undefined {
  if (!mesh && !own) return undefined;
  const { probes, time, interval } = { ...mesh, ...own };
  return {
    ...(probes && { keepaliveProbes: probes }),
    ...(time && { keepaliveTime: wholeSeconds(time) }),
    ...(interval && { keepaliveInterval: wholeSeconds(interval) }),
  };
}

function wholeSeconds(text: string): number {
  return Number(istioDuration(text).seconds);
}

/** 0 counts as unset, as Istio's proto cannot tell them apart. */
function thresholds(
  pool: ConnectionPoolSettings | undefined,
  retryBudget: RetryBudget | undefined,
): Fragment<typeof CircuitBreakers_ThresholdsSchema> {
  return {
    maxConnections: pool?.tcp?.maxConnections || unlimited,
    maxPendingRequests: pool?.http?.http1MaxPendingRequests || unlimited,
    maxRequests: pool?.http?.http2MaxRequests || unlimited,
    maxRetries: pool?.http?.maxRetries || unlimited,
    trackRemaining: true,
    ...(retryBudget && { retryBudget: emitRetryBudget(retryBudget) }),
  };
}

/** `RetryBudget.budget_interval`: Envoy 1.40 reads it, the pinned descriptors do not have it yet. */
const budgetIntervalField = 3;

/** Limits retries to a share of the requests under way; it takes the place of maxRetries. */
function emitRetryBudget(budget: RetryBudget): CircuitBreakers_Thresholds_RetryBudget {
  const message = create(CircuitBreakers_Thresholds_RetryBudgetSchema, {
    budgetPercent: { value: budget.percent ?? 20 },
    minRetryConcurrency: budget.minRetryConcurrency ?? 3,
  });
  if (budget.budgetInterval !== undefined) {
    const data = new BinaryWriter().bytes(toBinary(DurationSchema, istioDuration(budget.budgetInterval))).finish();
    message.$unknown = [{ no: budgetIntervalField, wireType: WireType.LengthDelimited, data }];
  }
  return message;
}
