/** IP addresses and blocks as text; no DNS, no sockets. */

/** The 32 bits of a dotted IPv4 address, or undefined where it is none. */
export function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

export function formatIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => String(Math.floor(value / 2 ** shift) % 256)).join('.');
}

/** Whether the text is an IPv6 address (RFC 4291 section 2.2, without a zone). */
export function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2 || !text.includes(':')) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1) ?? '';
  const tail = last.includes('.');
  if (tail && (parseIpv4(last) === undefined || text.endsWith('::'))) return false;
  const hex = tail ? groups.slice(0, -1) : groups;
  const size = hex.length + (tail ? 2 : 0);
  return hex.every((group) => /^[0-9a-f]{1,4}$/i.test(group)) && (halves.length === 2 ? size <= 7 : size === 8);
}

export function isIpAddress(text: string): boolean {
  return parseIpv4(text) !== undefined || isIpv6(text);
}

/** An address block: what Envoy's CidrRange wants. */
export interface Cidr {
  readonly address: string;
  readonly prefixLength: number;
}

/** Reads `10.0.0.0/8`, `2001:db8::/32`, or a plain address (a block of one); undefined where it is neither. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const bits = parseIpv4(address) !== undefined ? 32 : isIpv6(address) ? 128 : undefined;
  if (bits === undefined || rest.length > 0) return undefined;
  if (length === undefined) return { address, prefixLength: bits };
  return /^\d{1,3}$/.test(length) && Number(length) <= bits ? { address, prefixLength: Number(length) } : undefined;
}
