import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { RedisOptions } from '@seine/redis';
import { graphAt } from '@seine/redis-graph';
import { type GraphStore, MemoryGraphStore } from '@seine/service-graph';
import { Gauge, type Registry } from 'prom-client';
import type { MeshTelemetry } from '../access-log/mesh-telemetry.js';
import { GraphService } from './graph.service.js';

export interface MakeGraphOptions {
  /** Where several mixers keep it together; absent = in this process alone. */
  readonly redis?: RedisOptions | undefined;
  readonly now: () => number;
  readonly onProblem: (message: string) => void;
  readonly onRecovered: (message: string) => void;
}

/** The graph of what proxies log from now on. */
export function makeGraph(options: MakeGraphOptions, telemetry: MeshTelemetry, registry: Registry): GraphService {
  const { redis, now, onProblem, onRecovered } = options;
  const { store, close } = storeOf(redis, now);
  // A name of its own after a restart, too: what it has counted until then stays in the store.
  const replica = `${hostname()}-${randomBytes(4).toString('hex')}`;
  const graph = new GraphService({ replica, store, now, onProblem, onRecovered, close });
  telemetry.add('graph', graph.sink);
  const lost: Gauge = new Gauge({
    name: 'mixer_graph_lost_windows',
    help: 'Windows of the service graph that were given up, as the store could not be written to.',
    registers: [registry],
    collect: () => lost.set(graph.lostWindows),
  });
  graph.start();
  return graph;
}

function storeOf(
  redis: RedisOptions | undefined,
  now: () => number,
): { readonly store: GraphStore; readonly close?: () => void } {
  return redis ? graphAt(redis, { now }) : { store: new MemoryGraphStore({ now }) };
}
