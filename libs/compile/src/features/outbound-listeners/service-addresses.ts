import { parseCidr } from '@seine/model';

/** A service's addresses by what they need: a listener each, or a condition on the wildcard listener. */
export interface SplitAddresses {
  readonly addresses: readonly string[];
  readonly subnets: readonly string[];
}

/** Blocks of one address count as that address; `0.0.0.0` and `::` mean "no address" (Istio), unreadable ones too. */
export function splitAddresses(texts: readonly string[]): SplitAddresses {
  const addresses = new Set<string>();
  const subnets = new Set<string>();
  for (const text of texts) {
    const cidr = parseCidr(text);
    if (!cidr || cidr.address === '0.0.0.0' || cidr.address === '::') continue;
    const single = cidr.prefixLength === (cidr.address.includes(':') ? 128 : 32);
    if (single) addresses.add(cidr.address);
    else subnets.add(text);
  }
  return { addresses: [...addresses], subnets: [...subnets] };
}
