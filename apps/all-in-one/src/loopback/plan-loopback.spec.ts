import { describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { type MachineLayout, planLoopback } from './plan-loopback.js';

const linux: MachineLayout = { wholeLoopback: true, isFree: () => true };
const macos: MachineLayout = { wholeLoopback: false, isFree: () => true };

function pod(
  name: string,
  podIP: string | undefined,
  more: Partial<{ annotations: Record<string, string>; ports: number[]; labels: Record<string, string> }> = {},
): ConfigObject {
  const ports = (more.ports ?? [9080]).map((containerPort) => ({ name: `p${containerPort}`, containerPort }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${name}-6d8f-x2`,
      namespace: 'default',
      labels: more.labels ?? { app: 'reviews', version: 'v1', 'pod-template-hash': '6d8f' },
      annotations: more.annotations,
    },
    spec: { serviceAccountName: 'bookinfo-reviews', containers: [{ name: 'main', ports }] },
    ...(podIP !== undefined && { status: { podIP } }),
  };
}

const gateway = (podIP: string): ConfigObject =>
  pod('gw', podIP, {
    annotations: { 'inject.istio.io/templates': 'gateway' },
    ports: [],
    labels: { istio: 'ingressgateway' },
  });

const service = (name: string, selector: Record<string, string> | undefined, namespace = 'default'): ConfigObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { selector, ports: [{ port: 9080 }] },
});

describe('the plan with all of 127.0.0.0/8', () => {
  it('leaves a pod its address and ports, and puts its application elsewhere', () => {
    const object = pod('reviews-v1', '127.20.3.1');
    const { workloads, notes } = planLoopback([object, service('reviews', { app: 'reviews' })], linux);
    expect(notes).toEqual([]);
    expect(workloads).toEqual([
      {
        pod: object,
        name: 'reviews-v1-6d8f-x2',
        namespace: 'default',
        type: 'sidecar',
        interceptionMode: 'NONE',
        labels: { ...object.metadata.labels, 'security.istio.io/tlsMode': 'istio' },
        serviceAccount: 'bookinfo-reviews',
        owner: 'reviews-v1',
        service: 'reviews',
        address: '127.20.3.1',
        inboundPort: 9080,
        appPorts: new Map([[9080, 19_100]]),
        adminPort: 15_100,
        httpProxyPort: 15_007,
        outboundCidr: '127.20.3.0/24',
        prometheusPort: 15_090,
        readyPort: 15_021,
      },
    ]);
    expect(workloads[0]?.pod).toBe(object);
  });

  it('gives no two workloads one port of 127.0.0.1, and none that is busy', () => {
    const busy = new Set([15_101, 19_100]);
    const objects = [1, 2, 3].map((i) => pod(`w${i}`, `127.20.${i}.1`, { ports: [9080, 9090] }));
    const { workloads } = planLoopback(objects, { ...linux, isFree: (port) => !busy.has(port) });
    expect(workloads.map(({ adminPort }) => adminPort)).toEqual([15_100, 15_102, 15_103]);
    expect(workloads.map(({ appPorts }) => [...appPorts])).toEqual([
      [
        [9080, 19_101],
        [9090, 19_102],
      ],
      [
        [9080, 19_103],
        [9090, 19_104],
      ],
      [
        [9080, 19_105],
        [9090, 19_106],
      ],
    ]);
  });

  it('takes the port the application says it has', () => {
    const object = pod('mine', '127.30.1.1', { annotations: { 'seine.io/app-port': '3000' } });
    expect(planLoopback([object], linux).workloads[0]?.appPorts).toEqual(new Map([[9080, 3000]]));
  });

  it.each([
    ['of its own', ['127.20.1.1', '127.20.2.1'], ['127.20.1.0/24', '127.20.2.0/24']],
    ['that two share', ['127.20.1.1', '127.20.1.2'], ['', '']],
    ['in which it stands where services do', ['127.20.1.77'], ['']],
  ])('gives services addresses in a block %s, else none', (_what, addresses, cidrs) => {
    const { workloads } = planLoopback(
      addresses.map((address, i) => pod(`w${i}`, address)),
      linux,
    );
    expect(workloads.map(({ outboundCidr }) => outboundCidr)).toEqual(cidrs);
  });

  it.each([
    ['no address', undefined, 'has no status.podIP'],
    ['an address elsewhere', '10.0.0.7', 'has the address 10.0.0.7'],
    ['the address of the applications', '127.0.0.1', 'has the address 127.0.0.1'],
    ['a name', 'localhost', 'has the address localhost'],
  ])('leaves out a pod with %s, and says why', (_what, address, why) => {
    const { workloads, notes } = planLoopback([pod('w', address), pod('ok', '127.20.2.1')], linux);
    expect(workloads.map(({ owner }) => owner)).toEqual(['ok']);
    expect(notes).toEqual([expect.stringContaining(`Pod default/w-6d8f-x2 ${why}: it gets no Envoy here`)]);
  });

  it('counts the later of two that define one pod', () => {
    const { workloads } = planLoopback([pod('w', '127.20.1.1'), pod('w', '127.20.2.1')], linux);
    expect(workloads.map(({ address }) => address)).toEqual(['127.20.2.1']);
  });
});

describe('the plan with 127.0.0.1 alone', () => {
  it('gives each pod ports of its own, and tells the mesh', () => {
    const { workloads } = planLoopback([pod('a', '127.20.1.1'), pod('b', undefined)], macos);
    expect(workloads.map((w) => [w.address, w.inboundPort, [...w.appPorts], w.httpProxyPort, w.outboundCidr])).toEqual([
      ['127.0.0.1', 19_300, [[19_300, 19_100]], 19_500, ''],
      ['127.0.0.1', 19_301, [[19_301, 19_101]], 19_501, ''],
    ]);
    expect(workloads.map((w) => w.pod)).toMatchObject([
      {
        spec: { containers: [{ name: 'main', ports: [{ name: 'p9080', containerPort: 19_300 }] }] },
        status: { podIP: '127.0.0.1' },
      },
      {
        spec: { containers: [{ name: 'main', ports: [{ name: 'p9080', containerPort: 19_301 }] }] },
        status: { podIP: '127.0.0.1' },
      },
    ]);
    expect(workloads.map((w) => [w.prometheusPort, w.readyPort])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('does not change the pods it was given', () => {
    const object = Object.freeze(pod('a', '127.20.1.1'));
    const before = JSON.stringify(object);
    planLoopback([object], macos);
    expect(JSON.stringify(object)).toBe(before);
  });
});

describe('a gateway', () => {
  it.each([linux, macos])('serves 8080 at its address in %j', (layout) => {
    const { workloads } = planLoopback([gateway('127.0.0.1')], layout);
    expect(workloads).toMatchObject([
      {
        type: 'router',
        address: '127.0.0.1',
        inboundPort: 8080,
        httpProxyPort: 0,
        outboundCidr: '',
        appPorts: new Map(),
      },
    ]);
  });
});

describe('the service of a workload', () => {
  it.each([
    ['the one that selects it', [service('reviews', { app: 'reviews' })], 'reviews'],
    ['the first by name', [service('b', { version: 'v1' }), service('a', { app: 'reviews' })], 'a'],
    ['none that selects others', [service('ratings', { app: 'ratings' })], ''],
    ['none of another namespace', [service('reviews', { app: 'reviews' }, 'other')], ''],
    ['none without a selector', [service('reviews', undefined), service('empty', {})], ''],
  ])('is %s', (_what, services, name) => {
    expect(planLoopback([pod('w', '127.20.1.1'), ...services], linux).workloads[0]?.service).toBe(name);
  });
});
