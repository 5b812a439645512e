import { X509Certificate } from 'node:crypto';
import { children, content, isTagged, parseDer, readObjectId } from './asn1.js';
import { type SpiffeId, parseSpiffeId } from './spiffe-id.js';

/** The roots of each trust domain that is believed: PEM certificates by the domain's name. */
export type TrustBundles = ReadonlyMap<string, readonly string[]>;

export type PeerVerdict =
  | { readonly id: SpiffeId; readonly spiffeId: string }
  /** For the log; a peer is told nothing. */
  | { readonly error: string };

const mostChain = 10;
const subjectAltName = '2.5.29.17';
const keyUsageOid = '2.5.29.15';
const uriTag = 6;
/** keyCertSign and cRLSign of the first byte of a KeyUsage. */
const signing = 0x04 | 0x02;

/** The extensions of a certificate by OID: the DER inside each. */
function extensionsOf(certificate: X509Certificate): ReadonlyMap<string, Buffer> {
  const [tbs] = children(parseDer(certificate.raw));
  const holder = children(tbs).findLast(isTagged);
  const list = children(children(holder)[0]);
  return new Map(
    list.map((extension) => {
      const parts = children(extension);
      return [readObjectId(parts[0]), content(parts.at(-1))] as const;
    }),
  );
}

/** URI SANs read from DER, as the printed form can be made to lie (CVE-2021-44532). */
function uriNames(san: Buffer | undefined): readonly string[] {
  if (!san) return [];
  return children(parseDer(san))
    .filter((name) => isTagged(name) && (name.type as number) === uriTag)
    .map((name) => content(name).toString('latin1'));
}

/** What makes a certificate no leaf of a workload (X509-SVID, 5.2). */
function leafError(leaf: X509Certificate, extensions: ReadonlyMap<string, Buffer>): string | undefined {
  if (leaf.ca) return 'the certificate is one that signs others';
  const usage = extensions.get(keyUsageOid);
  if (usage && ((content(parseDer(usage))[1] ?? 0) & signing) !== 0)
    return 'the key of the certificate may sign others';
  return undefined;
}

function isValidAt(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now < Date.parse(certificate.validTo);
}

/** Whether a chain of signatures leads from the leaf to one of the roots, all of it in force. */
function chainsTo(
  roots: readonly X509Certificate[],
  leaf: X509Certificate,
  between: readonly X509Certificate[],
  now: number,
): boolean {
  const unused = new Set(between.filter((candidate) => candidate.ca));
  const signed = (by: X509Certificate, top: X509Certificate): boolean =>
    top.issuer === by.subject && isValidAt(by, now) && top.verify(by.publicKey);
  for (let top = leaf; isValidAt(top, now);) {
    if (roots.some((root) => signed(root, top))) return true;
    const next = [...unused].find((candidate) => signed(candidate, top));
    if (!next) return false;
    unused.delete(next);
    top = next;
  }
  return false;
}

/** PEM, DER, or one that was read before. */
export type ShownCertificate = string | Buffer | X509Certificate;

/**
 * Judges the certificates that a peer has shown (X509-SVID, 5.2): exactly one URI SAN, a SPIFFE ID with a path, of a
 * trust domain that is believed, a leaf that signs nothing, and a chain in force up to a root of that very domain.
 * @param chain the leaf first
 * @param now milliseconds since 1970
 */
export function verifyPeer(chain: readonly ShownCertificate[], bundles: TrustBundles, now: number): PeerVerdict {
  if (chain.length === 0) return { error: 'no certificate was shown' };
  if (chain.length > mostChain) return { error: `a chain of ${chain.length} certificates is too long` };
  try {
    const [leaf, ...between] = chain.map((item) =>
      item instanceof X509Certificate ? item : new X509Certificate(item),
    );
    return leaf ? judge(leaf, between, bundles, now) : { error: 'no certificate was shown' };
  } catch {
    return { error: 'a certificate cannot be read' };
  }
}

/** Roots are few and stay, and reading them costs more than all else here. */
const parsedRoots = new WeakMap<readonly string[], readonly X509Certificate[]>();

function parsed(roots: readonly string[]): readonly X509Certificate[] {
  const known = parsedRoots.get(roots) ?? roots.map((root) => new X509Certificate(root));
  parsedRoots.set(roots, known);
  return known;
}

/**
 * Judges the leaf alone: for a peer whose chain TLS has verified, up to a root of one trust domain. Whether the ID is of
 * that domain is for the caller to say.
 * @param now milliseconds since 1970
 */
export function verifyLeaf(shown: ShownCertificate, now: number): PeerVerdict {
  try {
    return judgeLeaf(shown instanceof X509Certificate ? shown : new X509Certificate(shown), now);
  } catch {
    return { error: 'the certificate cannot be read' };
  }
}

function judgeLeaf(leaf: X509Certificate, now: number): PeerVerdict {
  const extensions = extensionsOf(leaf);
  const [spiffeId, ...more] = uriNames(extensions.get(subjectAltName));
  if (spiffeId === undefined) return { error: 'the certificate has no URI SAN' };
  if (more.length > 0) return { error: `the certificate has ${more.length + 1} URI SANs` };
  const id = parseSpiffeId(spiffeId);
  if ('error' in id) return { error: `${JSON.stringify(spiffeId)}: ${id.error}` };
  if (id.path === '') return { error: `${spiffeId} is a trust domain, no workload` };
  const unfit = leafError(leaf, extensions);
  if (unfit !== undefined) return { error: unfit };
  return isValidAt(leaf, now) ? { id, spiffeId } : { error: `the certificate of ${spiffeId} is not in force` };
}

function judge(
  leaf: X509Certificate,
  between: readonly X509Certificate[],
  bundles: TrustBundles,
  now: number,
): PeerVerdict {
  const verdict = judgeLeaf(leaf, now);
  if ('error' in verdict) return verdict;
  const { id, spiffeId } = verdict;
  const roots = bundles.get(id.trustDomain);
  if (!roots) return { error: `the trust domain ${id.trustDomain} is not believed` };
  return chainsTo(parsed(roots), leaf, between, now)
    ? { id, spiffeId }
    : { error: `the certificate of ${spiffeId} does not chain to a root of ${id.trustDomain}` };
}
