import { describe, expect, it } from '@jest/globals';
import { memoRuns } from '@seine/memo';
import { aProxy } from '@seine/testing';
import { proxyDiagnostics } from './compiler.js';
import { anIstioObject } from './testing/config-objects.js';
import { MeshUnderTest } from './testing/mesh-under-test.js';

const labels = { istio: 'ingressgateway' };
const router = Object.freeze(aProxy({ type: 'router', namespace: 'istio-system', labels }));
const sidecar = Object.freeze(aProxy({ labels }));
const gateway = (name: string, protocol: string, creationTimestamp: string) =>
  anIstioObject(
    'Gateway',
    { name, creationTimestamp },
    { selector: labels, servers: [{ port: { number: 80, name: 'x', protocol }, hosts: ['*'] }] },
  );

describe('servers that conflict', () => {
  const world = new MeshUnderTest([
    gateway('a-younger', 'TCP', '2026-02-01T00:00:00Z'),
    gateway('b-older', 'HTTP', '2026-01-01T00:00:00Z'),
  ]);

  it('are told of the gateways they are on, at the younger object', () => {
    expect(proxyDiagnostics(world.mesh, router)).toMatchObject([
      { code: 'SEINE-GATEWAY-CONFLICT', object: { name: 'a-younger' }, path: 'spec.servers[0].port' },
    ]);
    expect(proxyDiagnostics(world.mesh, sidecar)).toEqual([]);
  });

  it('are looked for once', () => {
    const runs = memoRuns('gatewayConflicts');
    proxyDiagnostics(world.mesh, router);
    expect(memoRuns('gatewayConflicts')).toBe(runs);
  });
});
