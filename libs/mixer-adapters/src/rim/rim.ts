import type { Counters } from '@seine/rate-limit';
import { PrometheusExposition } from '../prometheus/exposition.js';

/** What adapters write text to: the part of a writable stream that they need. */
export interface TextStream {
  write(text: string): unknown;
  /** Bytes that wait to be written. */
  readonly writableLength: number;
}

/** Counts that mixers share, and how to let go of them. */
export type SharedCounts = Counters & { readonly close: () => void | Promise<void> };

/** What reaches adapters from outside beside sockets and files. */
export interface AdapterRim {
  readonly fetch: typeof fetch;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** From 0 on, below 1. */
  readonly random: () => number;
  /**
   * Counts in a Redis.
   * @param url as redisquota's `redisServerUrl`
   * @throws Error where the URL is none
   */
  readonly counters: (url: string, warn: (message: string) => void) => SharedCounts;
  /** Where adapter `prometheus` counts; whoever runs mixer serves its text. */
  readonly exposition: PrometheusExposition;
}

/** This process's own, but for what `over` says; without `counters` nothing can be counted in Redis. */
export function processRim(over: Partial<AdapterRim> = {}): AdapterRim {
  return {
    fetch: (...args) => fetch(...args),
    stdout: process.stdout,
    stderr: process.stderr,
    random: () => Math.random(),
    counters: () => {
      throw new Error('this mixer was started without a way to reach Redis');
    },
    exposition: new PrometheusExposition(),
    ...over,
  };
}
