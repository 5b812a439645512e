import { describe, expect, it } from '@jest/globals';
import type { PlannedWorkload } from '../plan/planned-workload.js';
import { metricsTarget } from './metrics-target.js';

const planned = (
  annotations: Readonly<Record<string, string>>,
  interceptionMode: PlannedWorkload['interceptionMode'] = 'NONE',
): PlannedWorkload => ({
  pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'reviews-v1', namespace: 'default', annotations } },
  name: 'reviews-v1',
  namespace: 'default',
  type: 'sidecar',
  interceptionMode,
  labels: { app: 'reviews' },
  serviceAccount: 'default',
  owner: 'reviews-v1',
  service: 'reviews',
  address: '127.0.1.1',
  inboundPort: 9080,
  appPorts: new Map([[9080, 19_100]]),
  adminPort: 15_100,
  httpProxyPort: 0,
  outboundCidr: '',
  prometheusPort: 0,
  readyPort: 0,
});

describe('where the metrics of an application are', () => {
  const scrape = { 'prometheus.io/scrape': 'true' };
  it.each([
    ['nowhere without annotations', planned({}), undefined],
    [
      'behind its Envoy, where the pod names a port of the mesh',
      planned({ ...scrape, 'prometheus.io/port': '9080' }),
      'http://127.0.0.1:19100/metrics',
    ],
    [
      'at the port that the pod names, where that is none of the mesh',
      planned({ ...scrape, 'prometheus.io/port': '9102', 'prometheus.io/path': '/own' }),
      'http://127.0.0.1:9102/own',
    ],
    ['nowhere, in a network namespace', planned({ ...scrape, 'prometheus.io/port': '9080' }, 'REDIRECT'), undefined],
  ])('is %s', (_what, workload, application) => {
    expect(metricsTarget(workload)).toMatchObject({
      envoy: 'http://127.0.0.1:15100/stats/prometheus',
      application,
    });
  });
});
