import { describe, expect, it } from '@jest/globals';
import { defaultMeshConfig, type MeshService, type Protocol } from '@seine/model';
import { aPort, aService, summarizeListener } from '@seine/testing';
import { loopbackAddresses, usesLoopback } from './loopback-addresses.js';
import { emitLoopbackListeners } from './loopback-listeners.js';

const proxy = { outboundCidr: '127.4.7.0/24' };
const tcp = (name: string, fields: Partial<MeshService> = {}) =>
  aService({ name, ports: [aPort(3306, 'TCP')], ...fields });

describe('usesLoopback', () => {
  it.each<[Protocol, boolean]>([
    ['HTTP', false],
    ['UDP', false],
    ['HTTP2', true],
    ['GRPC', true],
    ['TCP', true],
    ['TLS', true],
    ['HTTPS', true],
    ['auto', true],
  ])('%s: %s', (protocol, expected) => {
    expect(usesLoopback(aPort(1, protocol))).toBe(expected);
  });
});

describe('loopbackAddresses', () => {
  it('gives each service an address of its own from .10 up', () => {
    const services = Array.from({ length: 245 }, (_, i) => tcp(`s${i}`));
    const numbers = [...loopbackAddresses(proxy, services).values()].map((address) => Number(address.split('.')[3]));
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 245 }, (_, i) => i + 10));
    expect(loopbackAddresses(proxy, [...services, tcp('one-too-many')]).size).toBe(245);
  });

  it('does not depend on the order, nor on services that collide with nothing', () => {
    const few = [tcp('mysql'), tcp('redis'), tcp('mongo')];
    const before = loopbackAddresses(proxy, few);
    const after = loopbackAddresses(proxy, [tcp('kafka'), ...few.toReversed()]);
    for (const [host, address] of before) expect(after.get(host)).toBe(address);
  });

  it.each<[string, string, MeshService]>([
    ['without a block', '', tcp('a')],
    ['in an IPv6 block', 'fd00::/64', tcp('a')],
    ['in a block without room', '127.4.7.0/29', tcp('a')],
    ['for a wildcard host', '127.4.7.0/24', tcp('a', { host: '*.a.com' })],
    ['for HTTP', '127.4.7.0/24', aService({ name: 'a' })],
  ])('has none %s', (_what, outboundCidr, service) => {
    expect(loopbackAddresses({ outboundCidr }, [service]).size).toBe(0);
  });
});

describe('emitLoopbackListeners', () => {
  const scope = {
    l4VirtualServices: [],
    destinations: [],
    client: { gateway: 'mesh', namespace: 'default', labels: {} },
    config: defaultMeshConfig,
  };
  const host = 'a.default.svc.cluster.local';
  const toCluster = (port: number) => `[] → tcp outbound|${port}||${host}`;

  it.each<[Protocol, string[]]>([
    ['TCP', [toCluster(7000)]],
    ['TLS', [toCluster(7000)]],
    ['GRPC', [`[] → http rds:${host}:7000`]],
    ['HTTP2', [`[] → http rds:${host}:7000`]],
    ['auto', [`[raw_buffer, http/1.1|h2c|http/1.0] → http rds:${host}:7000`, `default${toCluster(7000).slice(2)}`]],
  ])('binds a %s port', (protocol, chains) => {
    const service = aService({ name: 'a', ports: [aPort(7000, protocol), aPort(80, 'HTTP')] });
    const address = loopbackAddresses(proxy, [service]).get(service.host);
    const listeners = emitLoopbackListeners({ ...scope, proxy, services: [service] });
    expect(listeners.map(({ bindToPort }) => bindToPort)).toEqual([true]);
    expect(listeners.map(summarizeListener)).toMatchObject([{ name: `${address}_7000`, chains }]);
  });
});
