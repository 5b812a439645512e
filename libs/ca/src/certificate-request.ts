import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type Asn1, children, content, isBits, isSequence, isTagged, parseDer, readObjectId, toDer } from './asn1.js';
import { oids } from './oids.js';
import { decodePem } from './pem.js';

/** What is taken from a certificate signing request: the key, which the caller has proved to hold. Names are not read. */
export interface CertificateRequest {
  readonly publicKey: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer;
}

/** A request of an RSA-8192 key has some 2.5 KB; more is junk or an attack. */
const mostBytes = 16 * 1024;
const leastRsaBits = 2048;
/** Verification of larger keys costs more than an honest request ever does. */
const mostRsaBits = 8192;
const curves: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** Signature algorithms by OID; those with SHA-1 or MD5 are left out on purpose. */
const hashes: Readonly<Record<string, 'sha256' | 'sha384' | 'sha512'>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
};

/** Why a request is refused. */
export class CertificateRequestError extends Error {
  override readonly name = 'CertificateRequestError';
}

function refuse(reason: string): never {
  throw new CertificateRequestError(reason);
}

function checkKey(key: KeyObject): void {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
      if (modulusLength < leastRsaBits)
        refuse(`an RSA key of ${modulusLength} bits is too short; use ${leastRsaBits} or more`);
      if (modulusLength > mostRsaBits)
        refuse(`an RSA key of ${modulusLength} bits is too long; use ${mostRsaBits} or less`);
      return;
    case 'ec':
      if (!curves.has(namedCurve)) refuse(`the curve ${namedCurve ?? '?'} is not taken; use P-256, P-384 or P-521`);
      return;
    default:
      refuse(`a key of type ${key.asymmetricKeyType ?? '?'} is not taken; use ECDSA P-256 or RSA`);
  }
}

/** SubjectPublicKeyInfo of a P-256 key up to its two coordinates (RFC 5480), which are uncompressed. */
const p256Head = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');
const coordinateBytes = 32;

function isP256(spki: Buffer): boolean {
  return spki.length === p256Head.length + 2 * coordinateBytes && spki.subarray(0, p256Head.length).equals(p256Head);
}

/** The key that nearly all have, by a way that is several times faster. A point off the curve is refused there, too. */
function readP256(spki: Buffer): KeyObject {
  const coordinate = (at: number): string =>
    spki.subarray(p256Head.length + at, p256Head.length + at + coordinateBytes).toString('base64url');
  const key = { kty: 'EC', crv: 'P-256', x: coordinate(0), y: coordinate(coordinateBytes) };
  return createPublicKey({ key, format: 'jwk' });
}

function readKey(spki: Buffer): KeyObject {
  try {
    if (isP256(spki)) return readP256(spki);
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch {
    return refuse('the public key cannot be read');
  }
}

function readParts(pem: string) {
  try {
    const der = decodePem(pem, ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'])[0];
    if (!der) throw new Error('no PEM');
    const request = parseDer(der);
    const [info, algorithm, signature, ...more] = children(request);
    const spki = children(info)[2];
    if (!info || !spki || !signature || more.length > 0) throw new Error('not the parts of a request');
    if (![request, info, algorithm].every(isSequence) || !isBits(signature))
      throw new Error('other types than a request has');
    return {
      signed: toDer(info),
      spki: toDer(spki),
      oid: readObjectId(children(algorithm)[0]),
      signature: content(signature),
    };
  } catch {
    return refuse('not a certificate request in PEM (PKCS #10)');
  }
}

/**
 * Reads a PKCS #10 request and checks that who made it holds the key (RFC 2986). The names, key usages and extensions
 * that it asks for are not looked at: a certificate says who the caller has proved to be, never who it says it is.
 * @param pem one `CERTIFICATE REQUEST`
 * @throws CertificateRequestError with a reason for the caller
 */
export function readCertificateRequest(pem: string): CertificateRequest {
  if (pem.length > mostBytes) refuse(`a request has at most ${mostBytes} bytes`);
  const { signed, spki, oid, signature } = readParts(pem);
  const publicKey = readKey(spki);
  if (!isP256(spki)) checkKey(publicKey);
  const hash = hashes[oid] ?? refuse(`the signature algorithm ${oid} is not taken; use SHA-256 or longer`);
  // The first byte of a bit string counts unused bits.
  if (signature[0] !== 0 || !isSignedBy(hash, signed, publicKey, signature.subarray(1)))
    refuse('the signature of the request is not by its key');
  return { publicKey, spki };
}

function isSignedBy(hash: string, signed: Buffer, key: KeyObject, signature: Buffer): boolean {
  try {
    return verify(hash, signed, key, signature);
  } catch {
    return false;
  }
}

/** What a request for a key of one's own would come to: citadel signs for itself without asking itself. */
export function requestForKey(publicKey: KeyObject): CertificateRequest {
  return { publicKey, spki: publicKey.export({ format: 'der', type: 'spki' }) };
}

/** The names that a request asks for, as an authority elsewhere would sign them. */
export interface RequestedNames {
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  /** How many names of other kinds there are. */
  readonly others: number;
  /** What else it asks for that no workload's certificate has. */
  readonly error?: string;
}

const allowedExtensions: ReadonlySet<string> = new Set([oids.subjectAltName, oids.keyUsage, oids.extendedKeyUsage]);
const allowedPurposes: ReadonlySet<string> = new Set([oids.serverAuth, oids.clientAuth]);
/** All bits of a key usage but digitalSignature and keyEncipherment. */
const oddUsages = 0xff & ~0xa0;

/**
 * Reads what a request asks to be called. It is needed only where somebody signs the request as it is.
 * @param pem one that `readCertificateRequest` takes
 * @throws CertificateRequestError
 */
export function readRequestedNames(pem: string): RequestedNames {
  try {
    const der = decodePem(pem, ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'])[0] ?? refuse('no PEM');
    const [, subject, , attributes] = children(children(parseDer(der))[0]);
    const parts = children(subject).flatMap((set) => children(set).map((pair) => readObjectId(children(pair)[0])));
    const odd = parts.find((oid) => oid !== oids.organization);
    if (odd !== undefined) return { ...noNames, error: `the subject has more than an organization (${odd})` };
    return namesOf(extensionsAskedFor(attributes));
  } catch (error) {
    if (error instanceof CertificateRequestError) throw error;
    return refuse('the names of the request cannot be read');
  }
}

const noNames: RequestedNames = { uris: [], dnsNames: [], others: 0 };

function extensionsAskedFor(attributes: Asn1 | undefined): readonly Asn1[] {
  return children(attributes)
    .filter((attribute) => readObjectId(children(attribute)[0]) === oids.extensionRequest)
    .flatMap((attribute) => children(children(attribute)[1]))
    .flatMap((list) => children(list));
}

function namesOf(extensions: readonly Asn1[]): RequestedNames {
  let names = noNames;
  for (const extension of extensions) {
    const parts = children(extension);
    const oid = readObjectId(parts[0]);
    const value = parseDer(content(parts.at(-1)));
    if (!allowedExtensions.has(oid)) return { ...names, error: `the request asks for the extension ${oid}` };
    if (oid === oids.keyUsage && ((content(value)[1] ?? 0) & oddUsages) !== 0)
      return { ...names, error: 'the request asks for a key usage that no workload has' };
    if (oid === oids.extendedKeyUsage && !children(value).every((item) => allowedPurposes.has(readObjectId(item))))
      return { ...names, error: 'the request asks for a key purpose that no workload has' };
    if (oid === oids.subjectAltName) {
      if (names !== noNames) return { ...names, error: 'the request has two lists of names' };
      names = alternativeNames(value);
    }
  }
  return names;
}

const uriTag = 6;
const dnsTag = 2;

function alternativeNames(value: Asn1): RequestedNames {
  const all = children(value).map((name) => ({
    tag: isTagged(name) ? (name.type as number) : -1,
    text: content(name),
  }));
  const texts = (tag: number) => all.filter((name) => name.tag === tag).map(({ text }) => text.toString('latin1'));
  const [uris, dnsNames] = [texts(uriTag), texts(dnsTag)];
  return { uris, dnsNames, others: all.length - uris.length - dnsNames.length };
}
