import { X509Certificate } from 'node:crypto';
import { CertificateRequestError, readRequestedNames } from '../certificate-request.js';
import { spkiOf } from '../certificate.js';
import { splitCertificates } from '../pem.js';
import { verifyPeer } from '../peer-certificate.js';
import type { IssuedCertificate } from '../signer.js';
import { formatWorkloadId } from '../spiffe-id.js';
import { type SigningOrder, SignerUnavailableError } from './certificate-signer.js';

/**
 * An authority elsewhere signs what the request says. So, other than for citadel's own key, the request has to name
 * the proven identity and nothing else.
 * @throws CertificateRequestError
 */
export function requireExactNames({ csr, identity, dnsNames = [] }: SigningOrder): void {
  const spiffeId = formatWorkloadId(identity);
  const asked = readRequestedNames(csr);
  if (asked.error !== undefined) throw new CertificateRequestError(asked.error);
  const isExact =
    asked.uris.length === 1 &&
    asked.uris[0] === spiffeId &&
    asked.dnsNames.every((name) => dnsNames.includes(name)) &&
    asked.others === 0;
  if (!isExact)
    throw new CertificateRequestError(
      `an external authority signs: the request must have ${spiffeId} as its one URI name, and no other names`,
    );
}

/**
 * Checks what an authority elsewhere has answered: a wrong identity is worse than none.
 * @param pem the leaf first, and what is between it and the root
 * @param roots PEM: those that are trusted
 * @throws SignerUnavailableError when it is not what was ordered
 */
export function readExternalAnswer(
  pem: string,
  roots: readonly string[],
  { identity, request, now }: SigningOrder,
): IssuedCertificate {
  const spiffeId = formatWorkloadId(identity);
  const chain = splitCertificates(pem).filter((item) => !isSelfSigned(item));
  const verdict = verifyPeer(chain, new Map([[identity.trustDomain, roots]]), now);
  if ('error' in verdict) throw new SignerUnavailableError(`the external authority’s answer: ${verdict.error}`);
  if (verdict.spiffeId !== spiffeId)
    throw new SignerUnavailableError(`the external authority signed for ${verdict.spiffeId}, not for ${spiffeId}`);
  const leaf = new X509Certificate(chain[0] ?? '');
  if (!spkiOf(leaf.publicKey).equals(request.spki))
    throw new SignerUnavailableError('the external authority signed another key than the request’s');
  return {
    chain: [...chain, rootOf(chain.at(-1) ?? '', roots)],
    spiffeId,
    serial: leaf.serialNumber.toLowerCase(),
    notBefore: Date.parse(leaf.validFrom),
    notAfter: Date.parse(leaf.validTo),
  };
}

/** The key usages to ask for, in the words of both Kubernetes APIs. */
export function usagesOf({ request }: SigningOrder): readonly string[] {
  const isRsa = request.publicKey.asymmetricKeyType === 'rsa';
  return ['digital signature', ...(isRsa ? ['key encipherment'] : []), 'server auth', 'client auth'];
}

function isSelfSigned(pem: string): boolean {
  const certificate = new X509Certificate(pem);
  return certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey);
}

/** The root that signed the top of a chain: it is known to be there. */
function rootOf(top: string, roots: readonly string[]): string {
  const certificate = new X509Certificate(top);
  const found = roots.find((pem) => {
    const root = new X509Certificate(pem);
    return root.subject === certificate.issuer && certificate.verify(root.publicKey);
  });
  if (found === undefined) throw new SignerUnavailableError('the external authority’s chain ends at no trusted root');
  return found;
}
