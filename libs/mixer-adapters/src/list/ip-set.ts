import { normalizeIp } from '@seine/mixer';
import { isIpv6, parseCidr, parseIpv4 } from '@seine/model';

/** The 128 bits of an IPv6 address. */
function bitsOf(address: string): bigint {
  const [head = '', tail] = (normalizeIp(address) ?? address).split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

/** Addresses and blocks; looking one up costs one step for each prefix length that occurs. */
export class IpSet {
  /** By prefix length: the blocks' first bits. */
  readonly #v4 = new Map<number, Set<number>>();
  readonly #v6 = new Map<number, Set<bigint>>();

  /** @returns false where the text is neither an address nor a block */
  add(text: string): boolean {
    const cidr = parseCidr(text);
    if (!cidr) return false;
    const { address, prefixLength } = cidr;
    const v4 = parseIpv4(address);
    if (v4 !== undefined) put(this.#v4, prefixLength, Math.floor(v4 / 2 ** (32 - prefixLength)));
    else put(this.#v6, prefixLength, bitsOf(address) >> BigInt(128 - prefixLength));
    return true;
  }

  /** @returns undefined where the text is no address */
  has(text: string): boolean | undefined {
    const address = normalizeIp(text);
    if (address === undefined) return undefined;
    if (isIpv6(address)) {
      const bits = bitsOf(address);
      for (const [length, blocks] of this.#v6) if (blocks.has(bits >> BigInt(128 - length))) return true;
      return false;
    }
    const bits = parseIpv4(address) ?? 0;
    for (const [length, blocks] of this.#v4) if (blocks.has(Math.floor(bits / 2 ** (32 - length)))) return true;
    return false;
  }
}

function put<T>(blocks: Map<number, Set<T>>, length: number, bits: T): void {
  const known = blocks.get(length);
  if (known) known.add(bits);
  else blocks.set(length, new Set([bits]));
}
