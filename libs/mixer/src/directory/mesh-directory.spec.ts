import { describe, expect, it } from '@jest/globals';
import type { MeshService, Workload } from '@seine/model';
import { workloadKeyAt } from '@seine/model';
import type { Value } from '../attributes/value-type.js';
import type { End, Side } from './directory.js';
import { MeshDirectory } from './mesh-directory.js';

function workload(name: string, addresses: readonly string[], more: Partial<Workload> = {}): Workload {
  return {
    name,
    namespace: 'shop',
    ownerName: name.replace(/-[a-z]$/, ''),
    addresses,
    labels: { app: 'reviews', pod: name },
    serviceAccount: 'reviews',
    locality: { region: '', zone: '', subzone: '' },
    network: '',
    inbound: [],
    ...more,
  };
}

const host = 'reviews.shop.svc.cluster.local';
const service = { host, name: 'reviews', namespace: 'shop' } as MeshService;

function directoryOf(...workloads: readonly Workload[]): MeshDirectory {
  const entries = new Map<string, Workload>();
  for (const one of workloads)
    for (const address of one.addresses)
      entries.set(entries.has(address) ? workloadKeyAt(address, one.namespace, one.name) : address, one);
  return new MeshDirectory({ workloads: entries, services: new Map([[host, service]]) });
}

function fill(directory: MeshDirectory, side: Side, end: End): Readonly<Record<string, unknown>> {
  const into = new Map<string, Value>();
  directory.fill(side, end, into);
  return Object.fromEntries(
    [...into].map(([name, value]) => [name, value instanceof Map ? Object.fromEntries(value) : value]),
  );
}

const id = (account: string, namespace = 'shop'): string => `spiffe://cluster.local/ns/${namespace}/sa/${account}`;
const a = workload('reviews-v1-a', ['10.0.0.1']);
const b = workload('reviews-v1-b', ['10.0.0.2']);
const ratings = workload('ratings-v1-a', ['10.0.0.3'], { serviceAccount: '', labels: { app: 'ratings' } });

describe('who is who', () => {
  const directory = directoryOf(a, b, ratings);

  it('is found by address, name and identity', () => {
    expect(directory.workloadByAddress('10.0.0.2')).toBe(b);
    expect(directory.workloadByName('shop/reviews-v1-a')).toBe(a);
    expect(directory.workloadById(id('reviews'))).toBe(a);
    expect(directory.workloadById(id('default'))).toBe(ratings);
    expect(directory.serviceByHost(host)).toBe(service);
    expect(directory.workloadByAddress('10.9.9.9')).toBeUndefined();
    expect(directory.workloadById(id('reviews', 'bank'))).toBeUndefined();
    expect(directory.workloadById('spiffe://odd')).toBeUndefined();
  });

  it('says all of a workload', () => {
    const inbound = [
      { targetPort: 80, servicePort: 80, serviceHost: host, portName: 'http', protocol: 'HTTP' as const },
    ];
    const one = directoryOf(workload('reviews-v1-a', ['10.0.0.1'], { inbound }));
    expect(fill(one, 'destination', { address: '10.0.0.1', port: 80, identity: id('reviews'), service: host })).toEqual(
      {
        'destination.ip': '10.0.0.1',
        'destination.port': 80,
        'destination.uid': 'kubernetes://reviews-v1-a.shop',
        'destination.name': 'reviews-v1-a',
        'destination.namespace': 'shop',
        'destination.labels': { app: 'reviews', pod: 'reviews-v1-a' },
        'destination.owner': 'kubernetes://apis/apps/v1/namespaces/shop/deployments/reviews-v1',
        'destination.principal': 'cluster.local/ns/shop/sa/reviews',
        'destination.user': 'cluster.local/ns/shop/sa/reviews',
        'destination.serviceAccount': 'reviews',
        'destination.services': host,
        'destination.workload.name': 'reviews-v1',
        'destination.workload.namespace': 'shop',
        'destination.workload.uid': 'istio://shop/workloads/reviews-v1',
        'destination.service': host,
        'destination.service.host': host,
        'destination.service.name': 'reviews',
        'destination.service.namespace': 'shop',
        'destination.service.uid': 'istio://shop/services/reviews',
      },
    );
  });

  it.each<readonly [what: string, end: End, name: string | undefined]>([
    ['by address', { address: '10.0.0.2' }, 'reviews-v1-b'],
    ['by name', { workload: 'shop/reviews-v1-b' }, 'reviews-v1-b'],
    ['by name and identity', { workload: 'shop/reviews-v1-b', identity: id('reviews') }, 'reviews-v1-b'],
    // Whoever says another's name is not believed.
    [
      'by a name that the identity does not have',
      { workload: 'shop/reviews-v1-b', identity: id('default') },
      undefined,
    ],
    ['by an address that the identity does not have', { address: '10.0.0.2', identity: id('default') }, undefined],
    ['by an identity that one has', { identity: id('default') }, 'ratings-v1-a'],
    ['by an identity that several have', { identity: id('reviews') }, undefined],
    ['by nothing', {}, undefined],
  ])('finds a workload %s', (_, end, name) => expect(fill(directory, 'source', end)['source.name']).toBe(name));

  it('says of workloads of one owner and identity what they have in common', () => {
    expect(fill(directory, 'source', { identity: id('reviews') })).toMatchObject({
      'source.labels': { app: 'reviews' },
      'source.workload.name': 'reviews-v1',
      'source.namespace': 'shop',
      'source.serviceAccount': 'reviews',
    });
  });

  it('believes a certificate before an address', () => {
    const found = fill(directory, 'source', { address: '10.0.0.2', identity: id('other', 'bank') });
    expect(found).toMatchObject({ 'source.namespace': 'bank', 'source.principal': 'cluster.local/ns/bank/sa/other' });
    expect(found['source.workload.name']).toBeUndefined();
  });

  it('tells apart who shares an address by identity', () => {
    const shared = directoryOf(
      workload('reviews-v1-a', ['127.0.0.1']),
      workload('ratings-v1-a', ['127.0.0.1'], { serviceAccount: 'ratings' }),
    );
    expect(fill(shared, 'source', { address: '127.0.0.1', identity: id('ratings') })['source.name']).toBe(
      'ratings-v1-a',
    );
    expect(fill(shared, 'source', { address: '127.0.0.1' })['source.name']).toBeUndefined();
  });

  it('names a service that it does not know', () => {
    expect(fill(directory, 'destination', { service: 'example.com' })).toEqual({
      'destination.service.host': 'example.com',
    });
  });
});

describe('labels that are none', () => {
  it('are bounded', () => {
    const labels = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`l${i}`, 'x'.repeat(10_000)]));
    const found = fill(directoryOf(workload('big', ['10.0.0.1'], { labels })), 'source', { address: '10.0.0.1' });
    const kept = Object.values(found['source.labels'] as Readonly<Record<string, string>>);
    expect([kept.length, kept[0]?.length]).toEqual([256, 1024]);
  });
});
