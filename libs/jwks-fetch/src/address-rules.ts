import { BlockList, isIPv6 } from 'node:net';

/** An address block as `10.0.0.0/8`, or a single address. */
export interface AddressRulesOptions {
  /** Blocks that may be asked although they are refused by default, as for tests on one machine. */
  readonly allow: readonly string[];
  /** Blocks that may not be asked, besides those that never may. */
  readonly block: readonly string[];
  /** The addresses of this machine, at each time. */
  readonly own: () => readonly string[];
}

/**
 * What no keys are served from, but what somebody who may write a RequestAuthentication would like to have asked in pilot's
 * name (Istio GHSA-fgw5-hp8f-xfhc). Private networks are not among them: providers in the cluster stand there.
 */
const forbidden: readonly (readonly [what: string, ...blocks: readonly string[]])[] = [
  ['a loopback address', '127.0.0.0/8', '::1'],
  ['no address of a host', '0.0.0.0/8', '::', '224.0.0.0/3', 'ff00::/8'],
  ['a link-local address', '169.254.0.0/16', 'fe80::/10'],
  ['the metadata service of a cloud', '100.100.100.200', '192.0.0.192', 'fd00:ec2::/32', 'fd20:ce::254'],
];

/** @throws TypeError where a block is none */
function listOf(blocks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', length, ...rest] = block.trim().split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    try {
      if (length === undefined) list.addAddress(address, family);
      else if (/^\d{1,3}$/.test(length) && rest.length === 0) list.addSubnet(address, Number(length), family);
      else throw new Error('no prefix length');
    } catch {
      throw new TypeError(`${JSON.stringify(block)} is no address and no block as 10.0.0.0/8`);
    }
  }
  return list;
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  // The URL parser writes every form of an address in one way.
  const text = new URL(`http://[${address.split('%')[0] ?? ''}]/`).hostname.slice(1, -1);
  const [head = '', tail] = text.split('::');
  const numbers = (part: string) => (part === '' ? [] : part.split(':').map((group) => parseInt(group, 16)));
  const [before, after] = [numbers(head), numbers(tail ?? '')];
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

/** The IPv4 address that an IPv6 one only wraps: mapped (RFC 4291), compatible, NAT64 (RFC 6052) and 6to4 (RFC 3056). */
function embedded(address: string): string | undefined {
  const groups = groupsOf(address);
  const dotted = (high = 0, low = 0): string => [high >> 8, high & 255, low >> 8, low & 255].join('.');
  const startsWith = (...prefix: readonly number[]): boolean => prefix.every((group, i) => groups[i] === group);
  if (startsWith(0x2002)) return dotted(groups[1], groups[2]);
  const mapped = startsWith(0, 0, 0, 0, 0, 0xffff) || startsWith(0x64, 0xff9b, 0, 0, 0, 0);
  // :: and ::1 look like compatible ones, and are addresses of their own.
  const wraps = mapped || (startsWith(0, 0, 0, 0, 0, 0) && groups[6] !== 0);
  return wraps ? dotted(groups[6], groups[7]) : undefined;
}

/**
 * Says of an IP address why it may not be asked; undefined: it may.
 * @throws TypeError where a block of the options is none
 */
export function addressRules({ allow, block, own }: AddressRulesOptions): (address: string) => string | undefined {
  const [allowed, blocked] = [listOf(allow), listOf(block)];
  const kinds = forbidden.map(([what, ...blocks]) => ({ what, list: listOf(blocks) }));
  const refusal = (address: string): string | undefined => {
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (blocked.check(address, family)) return 'in a block that is not to be asked';
    if (allowed.check(address, family)) return undefined;
    const kind = kinds.find(({ list }) => list.check(address, family));
    if (kind) return kind.what;
    return own().includes(address) ? 'an address of pilot itself' : undefined;
  };
  return (address) => {
    const within = isIPv6(address) ? embedded(address) : undefined;
    return refusal(address) ?? (within === undefined ? undefined : refusal(within));
  };
}
