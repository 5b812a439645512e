import { describe, expect, it } from '@jest/globals';
import { nackCauses } from './nack-causes.js';

const host = (name: string, ...domains: string[]) => ({ name, domains });
const listener = (name: string, port: number, ...matches: Record<string, number>[]) => ({
  name,
  address: { socket_address: { address: '0.0.0.0', port_value: port } },
  filter_chains: matches.map((match) => ({ filter_chain_match: match })),
});

describe('nackCauses', () => {
  it.each([
    ['nothing', { routes: [{ name: 'r', virtual_hosts: [host('a', 'a'), host('b', 'b', '*')] }] }, []],
    [
      'a virtual host twice',
      { routes: [{ name: 'r', virtual_hosts: [host('a', 'a'), host('a', 'b')] }] },
      ['route r: virtual host a twice'],
    ],
    [
      'a domain twice, in whatever case',
      { routes: [{ name: 'r', virtual_hosts: [host('a', 'x'), host('b', 'X')] }] },
      ['route r: domain x twice'],
    ],
    [
      'a filter chain match twice',
      { listeners: [listener('l', 80, { destination_port: 1 }, { destination_port: 1 }, {})] },
      ['listener l: filter chain match {"destination_port":1} twice'],
    ],
    [
      'an address twice',
      { listeners: [listener('l', 80, {}), listener('m', 80, {}), listener('n', 81, {})] },
      ['listener address {"socket_address":{"address":"0.0.0.0","port_value":80}} twice'],
    ],
  ])('finds %s', (_case, part, expected) => {
    expect(nackCauses({ routes: [], listeners: [], ...part })).toEqual(expected);
  });
});
