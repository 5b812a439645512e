import { createPrivateKey, generateKeyPair, type KeyObject, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { emptyName, keyId, organizationName, signCertificate, spkiOf, subjectOf } from './certificate.js';
import type { CertificateRequest } from './certificate-request.js';
import { encodePem, splitCertificates } from './pem.js';
import { formatWorkloadId, type WorkloadIdentity } from './spiffe-id.js';

const makeKeyPair = promisify(generateKeyPair);

/** A certificate is in force a little before it is made, for clients whose clocks are behind (Istio: ClockSkewGracePeriod). */
export const clockSkewMs = 2 * 60_000;

/** What a CA signs with, as PEM texts: the files of Istio's secret `cacerts`. */
export interface SigningFiles {
  /** ca-cert.pem: what signs. */
  readonly certificate: string;
  /** ca-key.pem. */
  readonly key: string;
  /** cert-chain.pem: from the signing certificate up to below the root; may be empty where the root itself signs. */
  readonly chain: string;
  /** root-cert.pem: all roots that are trusted. */
  readonly roots: string;
}

/** What a CA signs with, read and checked. */
export interface Signer {
  readonly key: KeyObject;
  readonly certificate: X509Certificate;
  /** PEM, the signing certificate first and its root last. */
  readonly path: readonly string[];
  readonly issuer: ReturnType<typeof subjectOf>;
  readonly issuerKeyId: Buffer;
}

/** Why CA files cannot be used; says which file. */
export class SigningFilesError extends Error {
  override readonly name = 'SigningFilesError';
}

function certificatesIn(text: string, file: string): readonly X509Certificate[] {
  try {
    return splitCertificates(text).map((pem) => new X509Certificate(pem));
  } catch {
    throw new SigningFilesError(`${file} holds a certificate that cannot be read`);
  }
}

function readSigningKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new SigningFilesError('ca-key.pem holds no private key that can be read');
  }
}

/** From the signing certificate up to a root, by who signed whom. */
function pathToRoot(
  first: X509Certificate,
  between: readonly X509Certificate[],
  roots: readonly X509Certificate[],
): readonly X509Certificate[] {
  const path = [first];
  for (let top = first; path.length <= between.length + 1;) {
    const root = roots.find((candidate) => top.verify(candidate.publicKey) && top.issuer === candidate.subject);
    if (root) return root.fingerprint256 === top.fingerprint256 ? path : [...path, root];
    const next = between.find(
      (candidate) => !path.includes(candidate) && top.issuer === candidate.subject && top.verify(candidate.publicKey),
    );
    if (!next) break;
    path.push((top = next));
  }
  throw new SigningFilesError('ca-cert.pem does not chain to a certificate in root-cert.pem by way of cert-chain.pem');
}

/**
 * Reads what a CA signs with.
 * @param now milliseconds since 1970
 * @throws SigningFilesError when the files do not go together, or what signs may not
 */
export function readSigner(files: SigningFiles, now: number): Signer {
  const [certificate] = certificatesIn(files.certificate, 'ca-cert.pem');
  if (!certificate) throw new SigningFilesError('ca-cert.pem holds no certificate');
  const key = readSigningKey(files.key);
  if (!certificate.checkPrivateKey(key)) throw new SigningFilesError('ca-key.pem is not the key of ca-cert.pem');
  if (!certificate.ca) throw new SigningFilesError('ca-cert.pem may not sign certificates (basicConstraints CA)');
  if (Date.parse(certificate.validTo) <= now)
    throw new SigningFilesError(`ca-cert.pem has expired (${certificate.validTo})`);
  const roots = certificatesIn(files.roots, 'root-cert.pem');
  const between = certificatesIn(files.chain, 'cert-chain.pem').filter(
    (other) => other.fingerprint256 !== certificate.fingerprint256,
  );
  const path = pathToRoot(certificate, between, roots);
  return {
    key,
    certificate,
    path: path.map((item) => item.toString()),
    issuer: subjectOf(certificate.raw),
    issuerKeyId: keyId(spkiOf(certificate.publicKey)),
  };
}

export interface RootOptions {
  readonly trustDomain: string;
  readonly now: number;
  readonly lifetimeMs: number;
}

/** Makes a self-signed root with an ECDSA P-256 key: a signing certificate of the trust domain (X509-SVID, 3.2). */
export async function makeRoot({ trustDomain, now, lifetimeMs }: RootOptions): Promise<SigningFiles> {
  const { privateKey, publicKey } = await makeKeyPair('ec', { namedCurve: 'P-256' });
  const spki = spkiOf(publicKey);
  const name = organizationName(trustDomain);
  const { der } = signCertificate(
    {
      subject: name,
      issuer: name,
      spki,
      notBefore: now - clockSkewMs,
      notAfter: now + lifetimeMs,
      uris: [`spiffe://${trustDomain}`],
      authority: { pathLength: undefined },
      rsa: false,
      issuerKeyId: keyId(spki),
    },
    privateKey,
  );
  const certificate = encodePem('CERTIFICATE', der);
  return {
    certificate,
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    chain: '',
    roots: certificate,
  };
}

export interface IssueOptions {
  readonly identity: WorkloadIdentity;
  readonly request: CertificateRequest;
  readonly lifetimeMs: number;
  readonly now: number;
  /** For the control plane's own servers only; a workload is known by its SPIFFE ID alone. */
  readonly dnsNames?: readonly string[];
}

export interface IssuedCertificate {
  /** PEM: the leaf first, then what signed it, the root last. */
  readonly chain: readonly string[];
  readonly spiffeId: string;
  /** Hex. */
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * Issues an X.509-SVID for a proven identity to the key of a request. It ends with the signing certificate at the
 * latest, as no client would take it beyond that.
 */
export function issueCertificate(
  signer: Signer,
  { identity, request, lifetimeMs, now, dnsNames }: IssueOptions,
): IssuedCertificate {
  const spiffeId = formatWorkloadId(identity);
  const notBefore = now - clockSkewMs;
  const notAfter = Math.min(now + lifetimeMs, Date.parse(signer.certificate.validTo));
  const { der, serial } = signCertificate(
    {
      subject: emptyName,
      issuer: signer.issuer,
      spki: request.spki,
      notBefore,
      notAfter,
      uris: [spiffeId],
      ...(dnsNames && { dnsNames }),
      rsa: request.publicKey.asymmetricKeyType === 'rsa',
      issuerKeyId: signer.issuerKeyId,
    },
    signer.key,
  );
  return {
    chain: [encodePem('CERTIFICATE', der), ...signer.path],
    spiffeId,
    serial: serial.toString('hex'),
    notBefore,
    notAfter,
  };
}
