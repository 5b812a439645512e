import { formatIpv4, isIpv6, parseIpv4 } from '@seine/model';

/** Text as the value of a type; undefined = it is none. So that equal things are equal text. */
export type Normalize = (text: string) => string | undefined;

export function normalizeIp(text: string): string | undefined {
  if (parseIpv4(text) !== undefined) return text;
  if (!isIpv6(text)) return undefined;
  // The URL standard has IPv6 written in one way (RFC 5952).
  const address = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(address) ?? [];
  // What came over a dual-stack socket is the same client.
  return high && low ? formatIpv4(parseInt(high, 16) * 65_536 + parseInt(low, 16)) : address;
}

const dnsName = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

export function normalizeDnsName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '');
  return dnsName.test(name) ? name : undefined;
}

/** The part before the @ may differ by case, the host may not. */
export function normalizeEmail(text: string): string | undefined {
  const at = text.lastIndexOf('@');
  const host = normalizeDnsName(text.slice(at + 1));
  return at > 0 && host !== undefined && !/\s/.test(text) ? `${text.slice(0, at)}@${host}` : undefined;
}

export function normalizeUri(text: string): string | undefined {
  return URL.canParse(text) ? new URL(text).href : undefined;
}
