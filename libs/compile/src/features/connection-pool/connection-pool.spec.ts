import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { ConnectionPoolSettings } from '@seine/istio';
import { emitConnectionPool, type PoolDefaults } from './connection-pool.js';

const unlimited = {
  max_connections: 4294967295,
  max_pending_requests: 4294967295,
  max_requests: 4294967295,
  max_retries: 4294967295,
  track_remaining: true,
};

function emitted(
  pool: ConnectionPoolSettings | undefined,
  budget?: { percent?: number; minRetryConcurrency?: number },
  mesh: Partial<PoolDefaults> = {},
) {
  const fragment = emitConnectionPool(pool, budget, { connectTimeout: 10_000, ...mesh });
  return toEnvoyJson(ClusterSchema, create(ClusterSchema, fragment));
}

describe('emitConnectionPool', () => {
  it.each<[what: string, pool: ConnectionPoolSettings | undefined, expected: object]>([
    ['nothing set', undefined, {}],
    ['zeros count as unset', { tcp: { maxConnections: 0 }, http: { maxRetries: 0, http2MaxRequests: 0 } }, {}],
    [
      'limits',
      {
        tcp: { maxConnections: 99, connectTimeout: '30ms' },
        http: { http1MaxPendingRequests: 14, http2MaxRequests: 33, maxRetries: 4 },
      },
      {
        connect_timeout: '0.030s',
        circuit_breakers: {
          thresholds: [
            { max_connections: 99, max_pending_requests: 14, max_requests: 33, max_retries: 4, track_remaining: true },
          ],
        },
      },
    ],
    [
      'TCP keep-alive',
      { tcp: { tcpKeepalive: { probes: 3, time: '7200s', interval: '75s' } } },
      {
        upstream_connection_options: {
          tcp_keepalive: { keepalive_probes: 3, keepalive_time: 7200, keepalive_interval: 75 },
        },
      },
    ],
    [
      'TCP keep-alive by the system defaults',
      { tcp: { tcpKeepalive: {} } },
      { upstream_connection_options: { tcp_keepalive: {} } },
    ],
  ])('%s', (_what, pool, expected) => {
    expect(emitted(pool)).toEqual({
      connect_timeout: '10s',
      circuit_breakers: { thresholds: [unlimited] },
      ...expected,
    });
  });

  it('takes the keep-alive that a rule does not state from the mesh', () => {
    const pool = { tcp: { tcpKeepalive: { time: '10s' } } };
    const mesh = { tcpKeepalive: { probes: 3, time: '7200s', interval: '75s' } };
    expect(emitted(pool, undefined, mesh)).toMatchObject({
      upstream_connection_options: {
        tcp_keepalive: { keepalive_probes: 3, keepalive_time: 10, keepalive_interval: 75 },
      },
    });
  });

  it.each([
    [{}, { budget_percent: { value: 20 }, min_retry_concurrency: 3 }],
    [
      { percent: 5.5, minRetryConcurrency: 10 },
      { budget_percent: { value: 5.5 }, min_retry_concurrency: 10 },
    ],
  ])('retry budget %p', (budget, expected) => {
    expect(emitted(undefined, budget)).toMatchObject({
      circuit_breakers: { thresholds: [{ ...unlimited, retry_budget: expected }] },
    });
  });

  it('writes the interval of a retry budget, which our descriptors lack, as Envoy reads it', () => {
    const fragment = emitConnectionPool(undefined, { budgetInterval: '10s' }, { connectTimeout: 10_000 });
    const cluster = create(ClusterSchema, fragment);
    const bytes = Buffer.from(toBinary(ClusterSchema, cluster));
    // field 3, length 2: a Duration whose field 1 (seconds) is 10
    expect(bytes.includes(Buffer.from([(3 << 3) | 2, 2, (1 << 3) | 0, 10]))).toBe(true);
  });
});
