import { describe, expect, it } from '@jest/globals';
import { GrpcStatus } from '@seine/h2grpc';
import type { Directory, End, Side } from '@seine/mixer';
import type { Workload } from '@seine/model';
import { CheckMessage } from './check-message.js';
import { type Asked, checkRequest } from './check-request.fixture.js';
import { EndFinder } from './ends.js';

const workload = (name: string, namespace: string, serviceAccount: string, ...hosts: readonly [number, string][]) =>
  ({
    name,
    namespace,
    serviceAccount,
    inbound: hosts.map(([targetPort, serviceHost]) => ({ targetPort, serviceHost })),
  }) as unknown as Workload;

const ratings = workload('ratings-v1', 'default', 'ratings', [9080, 'ratings.default'], [9090, 'stats.default']);
const workloads = new Map([['default/ratings-v1', ratings]]);

/** Says of each end what it was asked for. */
function directory(): Directory & { readonly filled: [Side, End][] } {
  const filled: [Side, End][] = [];
  return {
    filled,
    workloadByAddress: (ip) => (ip === '10.0.0.2' ? ratings : undefined),
    workloadByName: (name) => workloads.get(name),
    workloadById: () => undefined,
    serviceByHost: () => undefined,
    fill: (side, end, into) => {
      filled.push([side, end]);
      if (end.workload !== undefined) into.set(`${side}.workload.name`, end.workload);
      if (end.service !== undefined) into.set(`${side}.service.host`, end.service);
    },
  };
}

const reviews = 'spiffe://cluster.local/ns/default/sa/reviews';
const own = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'ratings' };
const inbound = { 'seine.reporter': 'inbound', 'seine.workload': 'default/ratings-v1' };
const find = (asked: Asked, caller: typeof own | undefined = own, known: Directory = directory()) =>
  new EndFinder().find(new CheckMessage(checkRequest(asked)), caller, known);

describe('both ends of a request', () => {
  it('are, to the proxy of who is called, its own workload and whom it sees', () => {
    const known = directory();
    const ends = find(
      { identity: reviews, extensions: { ...inbound, 'seine.service': 'ratings.default' } },
      own,
      known,
    );
    expect(ends.reporter).toBe('inbound');
    expect(known.filled).toEqual([
      ['source', { address: '10.0.0.1', identity: reviews, port: 40_000 }],
      [
        'destination',
        {
          address: '10.0.0.2',
          identity: 'spiffe://cluster.local/ns/default/sa/ratings',
          port: 9080,
          workload: 'default/ratings-v1',
          service: 'ratings.default',
        },
      ],
    ]);
  });

  it('are, to the caller’s proxy, its own workload and the service that it calls', () => {
    const known = directory();
    const extensions = {
      'seine.reporter': 'outbound',
      'seine.workload': 'default/ratings-v1',
      'seine.service': 'mongo.default',
    };
    expect(find({ extensions }, own, known).reporter).toBe('outbound');
    expect(known.filled.map(([side, { workload: name, service }]) => [side, name, service])).toEqual([
      ['source', 'default/ratings-v1', undefined],
      ['destination', undefined, 'mongo.default'],
    ]);
  });

  it.each([
    ['another account', { ...own, serviceAccount: 'reviews' }, inbound],
    ['another namespace', { ...own, namespace: 'bank' }, inbound],
    ['another namespace, of a workload that nobody knows', own, { 'seine.workload': 'bank/vault' }],
    ['another side', { ...own, serviceAccount: 'reviews' }, { ...inbound, 'seine.reporter': 'outbound' }],
  ])('are not believed of a proxy that speaks for %s', (_, caller, extensions) => {
    expect(() => find({ extensions }, caller)).toThrow(expect.objectContaining({ code: GrpcStatus.PERMISSION_DENIED }));
  });

  it('are, where the proxy says no workload, the one at its address if its certificate fits', () => {
    const of = (caller: typeof own) => {
      const known = directory();
      const { destination } = find({}, caller, known);
      return [known.filled[1]?.[1].address, destination.get('destination.service.host')];
    };
    expect(of(own)).toEqual(['10.0.0.2', 'ratings.default']);
    expect(of({ ...own, serviceAccount: 'reviews' })).toEqual([undefined, undefined]);
  });

  it('are, of a connection, what the metadata of the call says', () => {
    const said: Readonly<Record<string, string>> = { 'seine.reporter': 'outbound', 'seine.service': 'mongo.default' };
    const message = new CheckMessage(checkRequest({ http: undefined }));
    const { reporter, destination } = new EndFinder().find(message, undefined, directory(), (name) => said[name]);
    expect([reporter, destination.get('destination.service.host')]).toEqual(['outbound', 'mongo.default']);
  });

  it('are believed of a workload that is not known yet, in the proxy’s namespace', () => {
    const extensions = { 'seine.reporter': 'inbound', 'seine.workload': 'default/new' };
    expect(find({ extensions }).destination.get('destination.workload.name')).toBe('default/new');
  });

  it.each([
    ['what it serves at that port', 9080, 'ratings.default', 'ratings.default'],
    ['what it serves at that port where it says another', 9080, 'bank.default', 'ratings.default'],
    ['what it serves at that port where it says nothing', 9090, undefined, 'stats.default'],
  ])('is as service %s', (_, port, said, service) => {
    const extensions = { ...inbound, ...(said !== undefined && { 'seine.service': said }) };
    expect(find({ port, extensions }).destination.get('destination.service.host')).toBe(service);
  });

  it('is a caller that says which of several workloads of one account it is', () => {
    const said = { 'seine.peer': { workload: 'reviews-v3', namespace: 'default', app: 'reviews', version: 'v3' } };
    const { source } = find({ identity: reviews, metadata: said, extensions: inbound });
    expect(source.get('source.workload.name')).toBe('reviews-v3');
    expect(source.get('source.labels')).toEqual(
      new Map([
        ['app', 'reviews'],
        ['version', 'v3'],
      ]),
    );
  });

  it.each([
    ['without a certificate', '', 'default'],
    ['of another namespace', reviews, 'bank'],
  ])('is not what a caller %s says of itself', (_, identity, namespace) => {
    const said = { 'seine.peer': { workload: 'vault', namespace, app: 'vault', version: 'v1' } };
    const { source } = find({ identity, metadata: said, extensions: inbound });
    expect(source.has('source.workload.name')).toBe(false);
  });

  it('are looked up once, until the directory is another', () => {
    const finder = new EndFinder();
    const [before, after] = [directory(), directory()];
    const ask = (known: Directory) =>
      finder.find(new CheckMessage(checkRequest({ identity: reviews, extensions: inbound })), own, known);
    ask(before);
    ask(before);
    expect(before.filled).toHaveLength(2);
    ask(after);
    expect(after.filled).toHaveLength(2);
  });
});
