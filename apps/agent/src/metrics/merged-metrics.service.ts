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
import { type EnvoyInfo, labelsFromServerInfo } from './server-info.js';

/** A workload of this node whose metrics are to be had. */
export interface MetricsTarget {
  readonly name: string;
  readonly namespace: string;
  /** What metrics call it, or where its Envoy says so. */
  readonly labels: WorkloadLabels | EnvoyInfo;
  /** `http://127.0.0.1:15000/stats/prometheus`, of its Envoy. */
  readonly envoy: string;
  /** What the application itself exposes; absent = nothing. */
  readonly application?: string | undefined;
}

/** Text over HTTP. @throws (rejects) where there is none in time */
export type FetchText = (url: string, maxBytes: number) => Promise<string>;

type Scraped = 'envoy' | 'application';
/** An exposition that is larger is none that Prometheus would take, and an application's would fill the agent's memory. */
const maxBytes: Readonly<Record<Scraped, number>> = { envoy: 64 * 1024 * 1024, application: 16 * 1024 * 1024 };
/** What of an Envoy's own metrics makes Istio's. */
const istioOnly = '(istio_|grpc_(request|response)_message_count)';

/** Metrics of the node's workloads, under Istio's names. A workload that does not answer is left out, and counted. */
export class MergedMetrics {
  readonly #scrapes: Counter;
  readonly #failures: Counter;
  readonly #others: (() => Iterable<string>)[] = [];

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

  /** From now on what somebody else counts of the mesh is among the metrics of all. @param read text for Prometheus, in parts */
  add(read: () => Iterable<string>): void {
    this.#others.push(read);
  }

  /** Istio's metrics of all workloads together; equal series are summed up. */
  async all(): Promise<string> {
    this.#scrapes.inc();
    const each = await Promise.all(
      this.targets().map(async (target) => {
        const url = `${target.envoy}?usedonly&filter=${encodeURIComponent(istioOnly)}`;
        const [{ families }, labels] = await Promise.all([this.#read(url, 'envoy'), this.#labelsOf(target)]);
        return istioMetrics(families, labels, (name) => name.startsWith('istio_'));
      }),
    );
    const others = this.#others.map((read) => readExposition([...read()].join('')));
    return writeExposition(mergeFamilies([...each, ...others]));
  }

  /**
   * Everything of one workload: Istio's metrics, Envoy's own and the application's, as Istio's sidecars give them; what is
   * left out, and why, is said in comments at the end. Undefined where there is no such workload.
   */
  async of(namespace: string, name: string): Promise<string | undefined> {
    const target = this.targets().find((one) => one.name === name && one.namespace === namespace);
    if (!target) return undefined;
    this.#scrapes.inc();
    const [labels, proxy, application] = await Promise.all([
      this.#labelsOf(target),
      this.#read(target.envoy, 'envoy'),
      target.application === undefined ? nothing : this.#read(target.application, 'application'),
    ]);
    const own = istioMetrics(proxy.families, labels);
    const { kept, left } = withoutNamesOf(own, application.families);
    const remarks = [...proxy.remarks, ...application.remarks, ...leftOut(left)];
    return writeExposition(mergeFamilies([own, kept])) + remarks.map((remark) => `# ${remark}\n`).join('');
  }

  /** An Envoy that does not say them gives no metrics either, and that is counted where these are read. */
  async #labelsOf({ name, namespace, labels }: MetricsTarget): Promise<WorkloadLabels> {
    if (!('serverInfo' in labels)) return labels;
    const text = await this.fetchText(labels.serverInfo, maxBytes.envoy).catch(() => '{}');
    return labelsFromServerInfo(text, { name, namespace });
  }

  async #read(url: string, type: Scraped): Promise<Read> {
    try {
      return { families: readExposition(await this.fetchText(url, maxBytes[type])), remarks: [] };
    } catch (error) {
      // One workload's trouble must not hide the others' metrics, nor the application's those of its Envoy.
      this.#failures.inc({ type });
      return { families: new Map(), remarks: [`no metrics of the ${type}: ${oneLine(error)}`] };
    }
  }
}

interface Read {
  readonly families: MetricFamilies;
  /** What a reader of the text is told. */
  readonly remarks: readonly string[];
}

const nothing: Read = { families: new Map(), remarks: [] };

/**
 * The families of an application that are its own: names of Istio's metrics, and those that its Envoy has, are not, as what
 * it says would be summed up with what the proxy has counted.
 */
function withoutNamesOf(
  proxy: MetricFamilies,
  application: MetricFamilies,
): { readonly kept: MetricFamilies; readonly left: readonly string[] } {
  const left = [...application.keys()].filter((name) => name.startsWith('istio_') || proxy.has(name));
  const kept = left.length === 0 ? application : new Map(application);
  for (const name of left) kept.delete(name);
  return { kept, left };
}

/** Most names that a comment lists. */
const mostListed = 10;

function leftOut(names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const more = names.length > mostListed ? ` and ${names.length - mostListed} more` : '';
  return [
    `left out of the application's metrics, as the names are the proxy's: ${names.slice(0, mostListed).join(', ')}${more}`,
  ];
}

function oneLine(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : { message: String(error), cause: undefined };
  const text = cause instanceof Error ? `${message}: ${cause.message}` : message;
  return text.replaceAll(/\s+/g, ' ').slice(0, 300);
}

function istioMetrics(
  families: MetricFamilies,
  labels: WorkloadLabels,
  keep: (name: string) => boolean = () => true,
): MetricFamilies {
  const all = mergeFamilies([withIstioNames(families), messageCounts(families, labels)]);
  return new Map([...all].filter(([name]) => keep(name)));
}
