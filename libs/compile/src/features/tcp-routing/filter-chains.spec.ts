import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { FilterChainSchema } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { emitFilterChains, type L4Match, objectMetadata } from './filter-chains.js';

const match = (serverNames: string[], subnets: string[] = []): L4Match => ({ serverNames, subnets });

describe('emitFilterChains', () => {
  it.each<[string, L4Match[], object[]]>([
    ['no condition', [match([])], [{}]],
    ['no condition twice', [match([]), match([])], [{}]],
    ['a server name twice', [match(['a']), match(['A', 'b'])], [{ server_names: ['a'] }, { server_names: ['b'] }]],
    [
      'a server name in other subnets',
      [match(['a'], ['10.0.0.0/8']), match(['a'])],
      [
        { server_names: ['a'], prefix_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }] },
        { server_names: ['a'] },
      ],
    ],
    [
      'one subnet in two spellings',
      [match([], ['10.1.2.3/8']), match([], ['10.0.0.0/8'])],
      [{ prefix_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }] }],
    ],
    ['an address', [match([], ['10.0.0.1'])], [{ prefix_ranges: [{ address_prefix: '10.0.0.1', prefix_len: 32 }] }]],
    ['an IPv6 block', [match([], ['FD00::/8'])], [{ prefix_ranges: [{ address_prefix: 'fd00::', prefix_len: 8 }] }]],
    [
      'the whole of IPv4',
      [match([], ['1.2.3.4/0'])],
      [{ prefix_ranges: [{ address_prefix: '0.0.0.0', prefix_len: 0 }] }],
    ],
    ['subnets that are none', [match([], ['banana'])], []],
    [
      'one subnet that is none',
      [match([], ['banana', '10.0.0.0/8'])],
      [{ prefix_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }] }],
    ],
  ])('with %s', (_what, matches, expected) => {
    const chains = emitFilterChains(matches.map((conditions) => ({ match: conditions, filters: [] })));
    const json = chains.map((chain) => toEnvoyJson(FilterChainSchema, chain) as { filter_chain_match?: object });
    expect(json.map((chain) => chain.filter_chain_match ?? {})).toEqual(expected);
  });
});

describe('objectMetadata', () => {
  it('names the object as Istio does', () => {
    expect(
      objectMetadata({
        apiVersion: 'networking.istio.io/v1',
        kind: 'VirtualService',
        metadata: { name: 'vs', namespace: 'default' },
      }).filterMetadata,
    ).toEqual({ istio: { config: '/apis/networking.istio.io/v1/namespaces/default/virtual-service/vs' } });
  });
});
