type Annotations = Readonly<Record<string, string>>;

/** Where an application exposes metrics of its own. */
export interface ScrapeTarget {
  readonly port: number;
  readonly path: string;
}

/** Istio's defaults (pilot-agent, status server). */
const defaultPort = '80';
const defaultPath = '/metrics';

/**
 * What a pod's annotations say of its application's metrics, as Istio's agents read them: `prometheus.io/scrape`, `/port`,
 * `/path`, and `prometheus.istio.io/merge-metrics: "false"` for an application that is scraped by itself.
 * @param ownPort the port of merged metrics; who names it means them, and not the application
 * @returns undefined where there is nothing to merge, or where a port is none
 */
export function scrapeTarget(annotations: Annotations = {}, ownPort = 15020): ScrapeTarget | undefined {
  if (annotations['prometheus.io/scrape'] !== 'true') return undefined;
  if (annotations['prometheus.istio.io/merge-metrics'] === 'false') return undefined;
  const text = annotations['prometheus.io/port'] || defaultPort;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535 || port === ownPort) return undefined;
  const path = annotations['prometheus.io/path'] || defaultPath;
  return { port, path: path.startsWith('/') ? path : `/${path}` };
}
