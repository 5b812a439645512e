import type { WorkloadLabels } from '@seine/model';
import {
  mergeFamilies,
  messageCounts,
  type MetricFamilies,
  readExposition,
  withIstioNames,
  writeExposition,
} from '@seine/telemetry';
import { Counter, type Registry } from 'prom-client';

/** A workload of this node whose metrics are to be had. */
export interface MetricsTarget {
  readonly name: string;
  readonly namespace: string;
  readonly labels: WorkloadLabels;
  /** `http://127.0.0.1:15000/stats/prometheus`, of its Envoy. */
  readonly envoy: string;
  /** What the application itself exposes; absent = nothing. */
  readonly application?: string | undefined;
}

/** Text over HTTP. @throws (rejects) where there is none in time */
export type FetchText = (url: string, maxBytes: number) => Promise<string>;

/** An exposition that is larger is none that Prometheus would take. */
const maxBytes = 64 * 1024 * 1024;
/** What of an Envoy's own metrics makes Istio's. */
const istioOnly = '(istio_|grpc_(request|response)_message_count)';

/** Metrics of the node's workloads, under Istio's names. A workload that does not answer is left out, and counted. */
export class MergedMetrics {
  readonly #scrapes: Counter;
  readonly #failures: Counter;

  constructor(
    private readonly targets: () => readonly MetricsTarget[],
    private readonly fetchText: FetchText,
    registry: Registry,
  ) {
    const registers = [registry];
    this.#scrapes = new Counter({
      name: 'istio_agent_scrapes_total',
      help: 'How often metrics of workloads were asked for.',
      registers,
    });
    this.#failures = new Counter({
      name: 'istio_agent_scrape_failures_total',
      help: 'How often an Envoy or application did not give its metrics.',
      labelNames: ['type'],
      registers,
    });
  }

  /** Istio's metrics of all workloads together; equal series are summed up. */
  async all(): Promise<string> {
    this.#scrapes.inc();
    const each = await Promise.all(
      this.targets().map(async (target) => {
        const url = `${target.envoy}?usedonly&filter=${encodeURIComponent(istioOnly)}`;
        const families = await this.#read(url, 'envoy');
        return istioMetrics(families, target, (name) => name.startsWith('istio_'));
      }),
    );
    return writeExposition(mergeFamilies(each));
  }

  /**
   * Everything of one workload: Istio's metrics, Envoy's own and the application's, as Istio's sidecars give them. Undefined
   * where there is no such workload.
   */
  async of(namespace: string, name: string): Promise<string | undefined> {
    const target = this.targets().find((one) => one.name === name && one.namespace === namespace);
    if (!target) return undefined;
    this.#scrapes.inc();
    const [proxy, application] = await Promise.all([
      this.#read(target.envoy, 'envoy'),
      target.application === undefined ? noFamilies : this.#read(target.application, 'application'),
    ]);
    return writeExposition(mergeFamilies([istioMetrics(proxy, target), application]));
  }

  async #read(url: string, type: 'envoy' | 'application'): Promise<MetricFamilies> {
    try {
      return readExposition(await this.fetchText(url, maxBytes));
    } catch {
      // One workload's trouble must not hide the others' metrics; who wonders finds it counted.
      this.#failures.inc({ type });
      return noFamilies;
    }
  }
}

const noFamilies: MetricFamilies = new Map();

function istioMetrics(
  families: MetricFamilies,
  { labels }: MetricsTarget,
  keep: (name: string) => boolean = () => true,
): MetricFamilies {
  const all = mergeFamilies([withIstioNames(families), messageCounts(families, labels)]);
  return new Map([...all].filter(([name]) => keep(name)));
}
