import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { MergedMetrics, type MetricsTarget } from './merged-metrics.service.js';

const labels = {
  workload: 'a-v1',
  namespace: 'default',
  service: 'a',
  revision: 'v1',
  app: 'a',
  version: 'v1',
  cluster: 'unknown',
};
const target = (name: string, application?: string): MetricsTarget => ({
  name,
  namespace: 'default',
  labels,
  envoy: `http://${name}/stats/prometheus`,
  application,
});

const requests = (value: number) => `# TYPE envoy_seine_istio_requests_total counter
envoy_seine_istio_requests_total{reporter="source",source_principal=""} ${value}
# TYPE envoy_cluster_upstream_rq counter
envoy_cluster_upstream_rq{envoy_cluster_name="x"} 1
`;

function metricsOf(targets: readonly MetricsTarget[], answers: Readonly<Record<string, string>>) {
  const registry = new Registry();
  const fetchText = (url: string) => {
    const text = answers[url.split('?')[0] ?? ''];
    return text === undefined ? Promise.reject(new Error('away')) : Promise.resolve(text);
  };
  return { registry, metrics: new MergedMetrics(() => targets, fetchText, registry) };
}

describe('merged metrics', () => {
  it('are Istio’s of all workloads, summed up', async () => {
    const { metrics } = metricsOf([target('a'), target('b')], {
      'http://a/stats/prometheus': requests(3),
      'http://b/stats/prometheus': requests(4),
    });
    expect(await metrics.all()).toBe(
      '# TYPE istio_requests_total counter\nistio_requests_total{reporter="source",source_principal="unknown"} 7\n',
    );
  });

  it('have what others count of the mesh among those of all', async () => {
    const { metrics } = metricsOf([target('a')], { 'http://a/stats/prometheus': requests(3) });
    metrics.add(() => [requests(4).replaceAll('envoy_seine_', '').replace('principal=""', 'principal="unknown"')]);
    expect(await metrics.all()).toContain('istio_requests_total{reporter="source",source_principal="unknown"} 7\n');
  });

  it('go on without a workload that is away or talks nonsense, and count it', async () => {
    const { metrics, registry } = metricsOf([target('a'), target('b'), target('c')], {
      'http://a/stats/prometheus': requests(3),
      'http://c/stats/prometheus': '<html>',
    });
    expect(await metrics.all()).toContain('} 3');
    const failures = await registry.getSingleMetricAsString('istio_agent_scrape_failures_total');
    expect(failures).toContain('istio_agent_scrape_failures_total{type="envoy"} 2');
  });

  it('of one workload are its Envoy’s and its application’s', async () => {
    const { metrics } = metricsOf([target('a', 'http://app/metrics')], {
      'http://a/stats/prometheus': requests(3),
      'http://app/metrics': '# TYPE mine counter\nmine 1\n',
    });
    const text = await metrics.of('default', 'a');
    for (const name of ['istio_requests_total', 'envoy_cluster_upstream_rq', 'mine'])
      expect(text).toContain(`# TYPE ${name} `);
    expect(await metrics.of('default', 'nobody')).toBeUndefined();
  });

  it('have nothing that an application counts under names of its proxy, and say so', async () => {
    const { metrics } = metricsOf([target('a', 'http://app/metrics')], {
      'http://a/stats/prometheus': requests(3),
      'http://app/metrics': `${requests(5).replaceAll('envoy_seine_', '')}istio_own 1\nmine 2\n`,
    });
    const text = await metrics.of('default', 'a');
    expect(text).toContain('source_principal="unknown"} 3\n');
    expect(text).not.toContain('} 5');
    expect(text).not.toContain('istio_own 1');
    expect(text).toContain('\nmine 2\n');
    expect(text?.trimEnd().split('\n').at(-1)).toBe(
      "# left out of the application's metrics, as the names are the proxy's: istio_requests_total, envoy_cluster_upstream_rq, istio_own",
    );
  });

  it.each([
    ['is away', {}, '# no metrics of the application: away'],
    [
      'talks nonsense',
      { 'http://app/metrics': '<html>' },
      '# no metrics of the application: line 1: "<html>" is no series: a name, labels and a value',
    ],
  ])('are the proxy’s where the application %s, which is said and counted', async (_what, answers, remark) => {
    const all = { 'http://a/stats/prometheus': requests(3), ...answers };
    const { metrics, registry } = metricsOf([target('a', 'http://app/metrics')], all);
    const text = await metrics.of('default', 'a');
    expect(text).toContain('} 3\n');
    expect(text?.trimEnd().split('\n').at(-1)).toBe(remark);
    const failures = await registry.getSingleMetricAsString('istio_agent_scrape_failures_total');
    expect(failures).toContain('istio_agent_scrape_failures_total{type="application"} 1');
  });
});
