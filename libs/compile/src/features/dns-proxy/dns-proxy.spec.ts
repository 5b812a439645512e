import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import { DnsFilterConfigSchema } from '@seine/envoy/envoy/extensions/filters/udp/dns_filter/v3/dns_filter_pb.js';
import type { MeshService, ServiceEndpoints } from '@seine/model';
import { anEndpoint, aService, endpointsOf } from '@seine/testing';
import { autoAllocate, withAllocatedAddress } from './auto-allocate.js';
import { emitDnsListener } from './dns-listener.js';

const bare = (name: string, fields: Partial<MeshService> = {}) => aService({ name, addresses: [], ...fields });

describe('autoAllocate', () => {
  it('gives services without address unique ones of 240.240.0.0/16', () => {
    const addresses = [...autoAllocate(Array.from({ length: 2000 }, (_, i) => bare(`s${i}`))).values()];
    expect(new Set(addresses).size).toBe(2000);
    for (const address of addresses) expect(address).toMatch(/^240\.240\.\d{1,3}\.\d{1,3}$/);
    expect(addresses.filter((address) => /\.(0|255)$/.test(address))).toEqual([]);
  });

  it('is the same for the same services in any order', () => {
    const services = ['a', 'b', 'c'].map((name) => bare(name));
    expect([...autoAllocate(services)]).toEqual([...autoAllocate(services.toReversed())]);
  });

  it.each<[string, MeshService]>([
    ['with an address', aService({ name: 'a' })],
    ['with a block', bare('a', { addresses: ['10.0.0.0/8'] })],
    ['without a single address behind it', bare('a', { headless: true })],
    ['that goes where the client says', bare('a', { resolution: 'passthrough' })],
    ['with a wildcard host', bare('a', { host: '*.a.com' })],
    ['that asks for none', bare('a', { autoAllocate: false })],
  ])('gives none to a service %s', (_what, service) => {
    expect(autoAllocate([service]).size).toBe(0);
    expect(withAllocatedAddress(service, '240.240.0.1')).toBe(service);
  });

  it('leaves a service the address that it was given', () => {
    const service = bare('a', { allocatedAddresses: ['240.240.9.9'] });
    expect(autoAllocate([service]).size).toBe(0);
    expect(withAllocatedAddress(service, undefined).addresses).toEqual(['240.240.9.9']);
  });

  it('makes the address the service’s own', () => {
    expect(withAllocatedAddress(bare('a'), '240.240.0.1')).toEqual(bare('a', { addresses: ['240.240.0.1'] }));
    const service = bare('a');
    expect(withAllocatedAddress(service, undefined)).toBe(service);
  });
});

describe('emitDnsListener', () => {
  const answers = (services: MeshService[], namespace = 'default', headless: ServiceEndpoints[] = []) => {
    const config = emitDnsListener({ services, headless, namespace }).listenerFilters[0]?.configType;
    if (config?.case !== 'typedConfig') throw new Error('no filter');
    const table = anyUnpack(config.value, DnsFilterConfigSchema)?.serverConfig?.configSource;
    if (table?.case !== 'inlineDnsTable') throw new Error('no table');
    return table.value.virtualDomains.map(({ name, endpoint }) => {
      const list = endpoint?.endpointConfig;
      return `${name} ${list?.case === 'addressList' ? list.value.address.join(',') : ''}`;
    });
  };

  it('knows a headless service by its pods, and pods with hostnames by those', () => {
    const service = bare('db', { headless: true, resolution: 'passthrough' });
    const pods = [
      anEndpoint('10.0.0.1', { hostname: 'db-0' }),
      anEndpoint('10.0.0.2', { hostname: 'db-1', health: 'unhealthy' }),
      anEndpoint('10.0.0.3'),
      anEndpoint('elsewhere.example.com'),
    ];
    expect(answers([service], 'other', [endpointsOf(service, 9080, pods)])).toEqual([
      'db.default.svc.cluster.local 10.0.0.1,10.0.0.3',
      'db.default.svc 10.0.0.1,10.0.0.3',
      'db.default 10.0.0.1,10.0.0.3',
      'db-0.db.default.svc.cluster.local 10.0.0.1',
      'db-0.db.default.svc 10.0.0.1',
      'db-0.db.default 10.0.0.1',
    ]);
  });

  it.each<[string, MeshService[], string, string[]]>([
    [
      'a service by all its names',
      [aService({ name: 'a' })],
      'default',
      ['a.default.svc.cluster.local 10.96.0.1', 'a 10.96.0.1', 'a.default.svc 10.96.0.1', 'a.default 10.96.0.1'],
    ],
    [
      'a service of another namespace',
      [aService({ name: 'a' })],
      'other',
      ['a.default.svc.cluster.local 10.96.0.1', 'a.default.svc 10.96.0.1', 'a.default 10.96.0.1'],
    ],
    [
      'all single addresses',
      [aService({ name: 'a', host: 'a.com', addresses: ['10.0.0.1', '10.0.0.2/32', '10.1.0.0/16'] })],
      'default',
      ['a.com 10.0.0.1,10.0.0.2'],
    ],
    ['no service without address', [bare('a'), bare('b', { headless: true })], 'default', []],
    [
      'one name once',
      [
        aService({ name: 'x', host: 'a.com', addresses: ['10.0.0.1'] }),
        aService({ name: 'y', host: 'a.com', addresses: ['10.0.0.2'] }),
      ],
      'default',
      ['a.com 10.0.0.1'],
    ],
  ])('answers %s', (_what, services, namespace, expected) => {
    expect(answers(services, namespace)).toEqual(expected);
  });

  it('listens where iptables sends DNS', () => {
    expect(emitDnsListener({ services: [], namespace: 'default' })).toMatchObject({
      name: 'udp_127.0.0.1_15053',
      address: { address: { value: { address: '127.0.0.1', portSpecifier: { value: 15053 }, protocol: 1 } } },
    });
  });
});
