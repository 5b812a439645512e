import { expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { proxyStart } from './proxy-start.js';
import { MeshUnderTest } from './testing/mesh-under-test.js';

const node = {
  type: 'sidecar' as const,
  name: 'reviews-v1',
  namespace: 'default',
  ipAddresses: ['10.0.0.1'],
  labels: { app: 'reviews' },
};
const options = {
  node,
  xds: { host: '127.0.0.1', port: 15010 },
  admin: { port: 15000 },
  prometheusPort: 0,
  readyPort: 0,
};

const object = (kind: string, spec: object, namespace = 'default'): ConfigObject => ({
  apiVersion: kind === 'ProxyConfig' ? 'networking.istio.io/v1beta1' : 'networking.istio.io/v1alpha3',
  kind,
  metadata: { name: 'x', namespace },
  spec,
});
const merge = (value: object, more: object = {}) => ({
  configPatches: [{ applyTo: 'BOOTSTRAP', patch: { operation: 'MERGE', value }, ...more }],
});
const start = (objects: readonly ConfigObject[], annotations?: Readonly<Record<string, string>>) => {
  const { bootstrap, ...rest } = proxyStart(new MeshUnderTest(objects).mesh, { ...options, annotations });
  return { ...rest, bootstrap: JSON.parse(bootstrap) as Readonly<Record<string, unknown>> };
};

it('says nothing of what nobody settled', () => {
  expect(start([])).toMatchObject({
    concurrency: undefined,
    drainSeconds: undefined,
    environment: {},
    diagnostics: [],
  });
});

it('takes the command line and the environment from the settings', () => {
  const config = object('ProxyConfig', { concurrency: 0, environmentVariables: { A: 'b' } });
  const annotations = { 'proxy.istio.io/config': 'drainDuration: 1m30s\nproxyMetadata: { C: d }' };
  expect(start([config], annotations)).toMatchObject({
    concurrency: 0,
    drainSeconds: 90,
    environment: { A: 'b', C: 'd' },
  });
});

it('does without an annotation that cannot be read', () => {
  expect(start([], { 'proxy.istio.io/config': 'concurrency: many' })).toMatchObject({ concurrency: undefined });
});

it('patches the bootstrap of the proxies that an EnvoyFilter selects', () => {
  const spec = merge({ stats_flush_interval: '1s' });
  const chosen = { ...spec, workloadSelector: { labels: { app: 'reviews' } } };
  const other = { ...spec, workloadSelector: { labels: { app: 'ratings' } } };
  expect(start([object('EnvoyFilter', chosen)]).bootstrap).toHaveProperty('stats_flush_interval', '1s');
  expect(start([object('EnvoyFilter', other)]).bootstrap).not.toHaveProperty('stats_flush_interval');
});

it('leaves out what Envoy would refuse, and says so', () => {
  const { configPatches: good } = merge({ stats_flush_interval: '2s' });
  const { configPatches: bad } = merge({
    stats_flush_interval: '0s',
    stats_sinks: [{}],
    admin: { address: { pipe: {} } },
  });
  const { bootstrap, diagnostics } = start([object('EnvoyFilter', { configPatches: [...bad, ...good] })]);
  expect(bootstrap).toHaveProperty('stats_flush_interval', '2s');
  expect(diagnostics).toEqual([
    expect.objectContaining({
      code: 'SEINE-PATCH',
      path: 'spec.configPatches[0]',
      object: expect.objectContaining({ name: 'x' }) as object,
    }),
  ]);
});
