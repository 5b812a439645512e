/** IP addresses, prefixes, DNS names and ports as text, with Istio's and Kubernetes' notion of what is valid. */

const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`);
const hextet = /^[0-9a-fA-F]{1,4}$/;

export function isIPv4(text: string): boolean {
  return ipv4.test(text);
}

/** Groups of an IPv6 address's part; a dotted IPv4 at the end counts for two. Undefined when one is wrong. */
function countGroups(part: string, mayEndInIPv4: boolean): number | undefined {
  if (part === '') return 0;
  const groups = part.split(':');
  const last = groups.at(-1) ?? '';
  const dotted = mayEndInIPv4 && isIPv4(last);
  const plain = dotted ? groups.slice(0, -1) : groups;
  return plain.every((group) => hextet.test(group)) ? plain.length + (dotted ? 2 : 0) : undefined;
}

export function isIPv6(text: string): boolean {
  if (text.length > 45) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const [head = '', tail] = halves;
  const before = countGroups(head, tail === undefined);
  if (before === undefined) return false;
  if (tail === undefined) return before === 8;
  const after = countGroups(tail, true);
  return after !== undefined && before + after <= 7;
}

export function isIP(text: string): boolean {
  return isIPv4(text) || isIPv6(text);
}

/** `10.0.0.0/8`, or a single address. */
export function isIPOrPrefix(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash < 0) return isIP(text);
  const address = text.slice(0, slash);
  const length = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(length)) return false;
  return (isIPv4(address) && Number(length) <= 32) || (isIPv6(address) && Number(length) <= 128);
}

const label = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;
const wildcardLabel = /^(?:\*|\*-?[a-zA-Z0-9](?:[-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)$/;

/** A DNS label (RFC 1123), which is what namespaces, subsets and ports are named by. */
export function isLabel(text: string): boolean {
  return label.test(text);
}

function areLabels(parts: readonly string[]): boolean {
  return parts.every((part) => label.test(part));
}

/** A DNS name; a final dot is allowed, a top level of digits only is not. */
export function isDomain(text: string): boolean {
  if (text.length === 0 || text.length > 255) return false;
  const parts = (text.endsWith('.') ? text.slice(0, -1) : text).split('.');
  return areLabels(parts) && !/^\d+$/.test(parts.at(-1) ?? '');
}

/** A DNS name whose first label may be, or begin with, a wildcard: `*`, `*.example.com`, `*-prod.example.com`. */
export function isWildcardDomain(text: string): boolean {
  if (text === '*') return true;
  if (!text.startsWith('*')) return isDomain(text);
  if (text.length > 255) return false;
  const [first = '', ...rest] = text.split('.');
  return wildcardLabel.test(first) && areLabels(rest) && !/^\d+$/.test(rest.at(-1) ?? '');
}

/** A name of a Kubernetes object (DNS subdomain, lower case). */
export function isObjectName(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text);
}

/** Whether every host that `pattern` can mean is one that `general` means: `a.b.com` in `*.b.com`, all in `*`. */
export function hostWithin(pattern: string, general: string): boolean {
  const [p, g] = [pattern.toLowerCase(), general.toLowerCase()];
  if (g === '*' || p === g) return true;
  return g.startsWith('*') && p.length >= g.length && p.endsWith(g.slice(1));
}

/** Whether some host is meant by both. */
export function hostsOverlap(a: string, b: string): boolean {
  return hostWithin(a, b) || hostWithin(b, a);
}
