import { describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { planLoopback } from '../loopback/plan-loopback.js';
import { labelMutualTls } from './mutual-tls-label.js';

const tlsMode = 'security.istio.io/tlsMode';
const pod = (
  name: string,
  podIP: string,
  metadata: Pick<ConfigObject['metadata'], 'labels' | 'annotations'> = {},
): ConfigObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', ...metadata },
  status: { podIP },
});
const pods = {
  sidecar: pod('sidecar', '127.20.3.1', { labels: { app: 'a' } }),
  disabled: pod('disabled', '127.20.4.1', { labels: { [tlsMode]: 'disabled' } }),
  gateway: pod('gateway', '127.20.5.1', { annotations: { 'inject.istio.io/templates': 'gateway' } }),
  without: pod('without', '10.0.0.1'),
};
const { workloads } = planLoopback(Object.values(pods), { wholeLoopback: true, isFree: () => true });

describe('the label of mutual TLS', () => {
  const label = labelMutualTls(workloads);

  it('is on pods with a sidecar, unless they say otherwise themselves', () => {
    expect(label(pods.sidecar).metadata.labels).toEqual({ app: 'a', [tlsMode]: 'istio' });
    expect(label(pods.disabled).metadata.labels).toEqual({ [tlsMode]: 'disabled' });
  });

  it('is not on gateways, on pods without an Envoy, and on what is no pod', () => {
    for (const object of [pods.gateway, pods.without, { ...pods.sidecar, kind: 'Service' }])
      expect(label(object)).toBe(object);
  });

  it('is among the labels that the Envoy says it has', () => {
    expect(workloads.map(({ name, labels }) => [name, labels[tlsMode]])).toEqual([
      ['sidecar', 'istio'],
      ['disabled', 'disabled'],
      ['gateway', undefined],
    ]);
  });
});
