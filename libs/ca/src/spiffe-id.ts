/** A SPIFFE ID in parts. `path` begins with a slash, or is empty for the ID of a trust domain itself. */
export interface SpiffeId {
  readonly trustDomain: string;
  readonly path: string;
}

/** Longest ID (SPIFFE-ID §2.3). */
const mostBytes = 2048;
const mostTrustDomainBytes = 255;
const scheme = 'spiffe://';
const trustDomainForm = /^[a-z0-9._-]+$/;
const segmentForm = /^[A-Za-z0-9._-]+$/;

/** What is wrong with a trust domain's name; undefined when nothing is (SPIFFE-ID §2.1). */
export function trustDomainError(name: string): string | undefined {
  if (name === '') return 'the trust domain is empty';
  if (Buffer.byteLength(name) > mostTrustDomainBytes)
    return `the trust domain is longer than ${mostTrustDomainBytes} bytes`;
  if (!trustDomainForm.test(name))
    return 'a trust domain has lower-case letters, digits, dots, dashes and underscores only';
  return undefined;
}

function pathError(path: string): string | undefined {
  if (path === '') return undefined;
  for (const segment of path.slice(1).split('/')) {
    if (segment === '') return 'the path has an empty segment';
    if (segment === '.' || segment === '..') return 'the path has a dot segment';
    if (!segmentForm.test(segment)) return 'a path segment has letters, digits, dots, dashes and underscores only';
  }
  return undefined;
}

/**
 * Reads a SPIFFE ID strictly: what is not in its one normal form is refused, never turned into another identity
 * (SPIFFE-ID §2).
 * @returns the parts, or what is wrong
 */
export function parseSpiffeId(text: string): SpiffeId | { readonly error: string } {
  if (Buffer.byteLength(text) > mostBytes) return { error: `a SPIFFE ID has at most ${mostBytes} bytes` };
  if (!text.startsWith(scheme)) return { error: `a SPIFFE ID begins with ${scheme}` };
  const rest = text.slice(scheme.length);
  const slash = rest.indexOf('/');
  const trustDomain = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? '' : rest.slice(slash);
  const error = trustDomainError(trustDomain) ?? pathError(path);
  return error === undefined ? { trustDomain, path } : { error };
}

/** A workload's account, as Istio has identities: `spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT`. */
export interface WorkloadIdentity {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** @throws RangeError when a part is not one that a SPIFFE ID may hold */
export function formatWorkloadId({ trustDomain, namespace, serviceAccount }: WorkloadIdentity): string {
  const text = `${scheme}${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
  const parsed = parseSpiffeId(text);
  if ('error' in parsed) throw new RangeError(`${JSON.stringify(text)}: ${parsed.error}`);
  if (parsed.path.split('/').length !== 5) throw new RangeError(`${JSON.stringify(text)}: a part holds a slash`);
  return text;
}

/** The account that a SPIFFE ID in Istio's form names; undefined for IDs of other forms. */
export function parseWorkloadId(text: string): WorkloadIdentity | undefined {
  const parsed = parseSpiffeId(text);
  if ('error' in parsed) return undefined;
  const [, ns, namespace, sa, serviceAccount, ...more] = parsed.path.split('/');
  if (ns !== 'ns' || sa !== 'sa' || !namespace || !serviceAccount || more.length > 0) return undefined;
  return { trustDomain: parsed.trustDomain, namespace, serviceAccount };
}
