import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import {
  type Asn1,
  bits,
  boolean,
  children,
  integer,
  isTagged,
  nothing,
  objectId,
  octets,
  parseDer,
  sequence,
  set,
  tagged,
  time,
  toDer,
  utf8,
} from './asn1.js';
import { oids } from './oids.js';

/** What a certificate says. Times in milliseconds since 1970. */
export interface CertificateContent {
  /** DER of a Name; empty subject for leaves, whose SAN is critical then (X509-SVID, 3.1). */
  readonly subject: Asn1;
  readonly issuer: Asn1;
  readonly spki: Buffer;
  readonly notBefore: number;
  readonly notAfter: number;
  /** URI SANs. */
  readonly uris: readonly string[];
  /** DNS SANs: for the control plane's own servers, which Istio's agents know by these names. */
  readonly dnsNames?: readonly string[];
  /** Set for a certificate that signs others: how many more may follow below it; undefined for any number. */
  readonly authority?: { readonly pathLength: number | undefined };
  /** RSA keys also encipher keys (TLS 1.2 without forward secrecy); EC keys never do. */
  readonly rsa: boolean;
  /** Key identifier of the issuer. */
  readonly issuerKeyId: Buffer;
}

/** Key usages as the bits of RFC 5280, 4.2.1.3, the first one highest. */
const usage = { digitalSignature: 0x80, keyEncipherment: 0x20, keyCertSign: 0x04, crlSign: 0x02 } as const;

export const emptyName: Asn1 = sequence();

/** `O=…`: what Istio's roots have as subject. */
export function organizationName(organization: string): Asn1 {
  return sequence(set(sequence(objectId(oids.organization), utf8(organization))));
}

/** The subject of a certificate, as its issued certificates have to repeat it byte by byte. */
export function subjectOf(certificateDer: Buffer): Asn1 {
  const fields = children(children(parseDer(certificateDer))[0]);
  // A version comes first in all certificates but those of version 1.
  const subject = fields[isTagged(fields[0]) ? 5 : 4];
  if (!subject) throw new Error('a certificate without a subject');
  return subject;
}

/** SHA-1 of the key's bits, as RFC 5280, 4.2.1.2 proposes: a name for the key, no proof of anything. */
export function keyId(spki: Buffer): Buffer {
  const [, key] = children(parseDer(spki));
  const content = typeof key?.value === 'string' ? Buffer.from(key.value, 'binary').subarray(1) : Buffer.alloc(0);
  return createHash('sha1').update(content).digest();
}

export function spkiOf(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ format: 'der', type: 'spki' });
}

/** 126 random bits: positive, and different on every replica without asking the others. */
export function randomSerial(): Buffer {
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8() & 0x3f) | 0x40);
  return serial;
}

function extension(oid: string, critical: boolean, value: Asn1): Asn1 {
  return sequence(objectId(oid), ...(critical ? [boolean(true)] : []), octets(toDer(value)));
}

function keyUsage(flags: number): Asn1 {
  let unused = 0;
  while (unused < 7 && !(flags & (1 << unused))) unused++;
  return extension(oids.keyUsage, true, bits(Buffer.from([flags]), unused));
}

/** The names of a certificate, or that a request asks for. */
export function alternativeNames(uris: readonly string[], dnsNames: readonly string[], critical: boolean): Asn1 {
  const names = [
    ...uris.map((uri) => tagged(6, Buffer.from(uri))),
    ...dnsNames.map((name) => tagged(2, Buffer.from(name))),
  ];
  return extension(oids.subjectAltName, critical, sequence(...names));
}

function extensions(of: CertificateContent): Asn1 {
  const { authority, uris, subject } = of;
  const length = authority?.pathLength;
  const constraints = authority
    ? sequence(boolean(true), ...(length === undefined ? [] : [integer(Buffer.from([length]))]))
    : sequence();
  const flags = authority
    ? usage.keyCertSign | usage.crlSign
    : usage.digitalSignature | (of.rsa ? usage.keyEncipherment : 0);
  return tagged(3, [
    sequence(
      keyUsage(flags),
      ...(authority
        ? []
        : [extension(oids.extendedKeyUsage, false, sequence(objectId(oids.serverAuth), objectId(oids.clientAuth)))]),
      extension(oids.basicConstraints, true, constraints),
      extension(oids.subjectKeyId, false, octets(keyId(of.spki))),
      extension(oids.authorityKeyId, false, sequence(tagged(0, of.issuerKeyId))),
      alternativeNames(uris, of.dnsNames ?? [], children(subject).length === 0),
    ),
  ]);
}

/** The signature algorithm that a key signs with here: always with SHA-256. */
export function algorithmOf(key: KeyObject): Asn1 {
  return key.asymmetricKeyType === 'rsa'
    ? sequence(objectId(oids.sha256WithRsa), nothing())
    : sequence(objectId(oids.ecdsaWithSha256));
}

export interface SignedCertificate {
  readonly der: Buffer;
  readonly serial: Buffer;
}

/** Encodes and signs a certificate (X.509 v3, RFC 5280) with SHA-256. */
export function signCertificate(of: CertificateContent, key: KeyObject, serial = randomSerial()): SignedCertificate {
  const algorithm = algorithmOf(key);
  const tbs = sequence(
    tagged(0, [integer(Buffer.from([2]))]),
    integer(serial),
    algorithm,
    of.issuer,
    sequence(time(new Date(of.notBefore)), time(new Date(of.notAfter))),
    of.subject,
    parseDer(of.spki),
    extensions(of),
  );
  const signature = sign('sha256', toDer(tbs), key);
  return { der: toDer(sequence(tbs, algorithm, bits(signature))), serial };
}
