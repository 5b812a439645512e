import { describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { planIntercept } from './plan-intercept.js';

const pod = (name: string, annotations?: Record<string, string>): ConfigObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels: { app: name }, annotations },
  spec: { containers: [{ ports: annotations ? [] : [{ name: 'http', containerPort: 9080 }] }] },
  status: { podIP: '127.20.1.1' },
});
const gateway = pod('gw', { 'inject.istio.io/templates': 'gateway' });
const free = (): boolean => true;

describe('the plan of namespaces', () => {
  it('gives each pod an address, and leaves it its ports', () => {
    const { workloads, notes } = planIntercept([gateway, pod('a'), pod('b')], free);
    expect(notes).toEqual([]);
    expect(workloads.map((w) => [w.name, w.type, w.address, w.inboundPort, w.adminPort])).toEqual([
      ['gw', 'router', '10.203.0.10', 8080, 15_100],
      ['a', 'sidecar', '10.203.0.11', 9080, 15_101],
      ['b', 'sidecar', '10.203.0.12', 9080, 15_102],
    ]);
    expect(workloads[1]).toMatchObject({
      interceptionMode: 'REDIRECT',
      appPorts: new Map(),
      httpProxyPort: 0,
      outboundCidr: '',
      pod: {
        spec: { containers: [{ ports: [{ name: 'http', containerPort: 9080 }] }] },
        status: { podIP: '10.203.0.11' },
      },
    });
  });

  it('says which pods find no room', () => {
    const { workloads, notes } = planIntercept(
      Array.from({ length: 247 }, (_, i) => pod(`p${i}`)),
      free,
    );
    expect(workloads).toHaveLength(245);
    expect(workloads.at(-1)?.address).toBe('10.203.0.254');
    expect(notes).toEqual([
      'Pod default/p245 gets no Envoy here: there is room for 245 pods',
      'Pod default/p246 gets no Envoy here: there is room for 245 pods',
    ]);
  });
});
