import forge from 'node-forge';

/** The little of DER that certificates need, over node-forge's ASN.1. */
export type Asn1 = forge.asn1.Asn1;

const { asn1 } = forge;
const { Class, Type } = asn1;

/** @throws Error on anything but one whole DER value */
export function parseDer(der: Buffer): Asn1 {
  // The types of node-forge do not know the options of fromDer yet.
  const fromDer = asn1.fromDer as unknown as (bytes: string, options: object) => Asn1;
  return fromDer(der.toString('binary'), { strict: true, parseAllBytes: true, decodeBitStrings: false });
}

export function toDer(value: Asn1): Buffer {
  return Buffer.from(asn1.toDer(value).getBytes(), 'binary');
}

/** The values inside a constructed one; empty for a primitive one. */
export function children(value: Asn1 | undefined): readonly Asn1[] {
  return Array.isArray(value?.value) ? value.value : [];
}

/** The content of a primitive value. */
export function content(value: Asn1 | undefined): Buffer {
  return typeof value?.value === 'string' ? Buffer.from(value.value, 'binary') : Buffer.alloc(0);
}

export function isSequence(value: Asn1 | undefined): boolean {
  return value?.tagClass === Class.UNIVERSAL && value.type === Type.SEQUENCE;
}

export function isTagged(value: Asn1 | undefined): boolean {
  return value?.tagClass === Class.CONTEXT_SPECIFIC;
}

export function isBits(value: Asn1 | undefined): boolean {
  return value?.tagClass === Class.UNIVERSAL && value.type === Type.BITSTRING;
}

export function sequence(...items: readonly Asn1[]): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [...items]);
}

export function set(...items: readonly Asn1[]): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SET, true, [...items]);
}

/** `[tag]` around values (explicit), or in place of a primitive's own tag when given bytes (implicit). */
export function tagged(tag: number, inner: readonly Asn1[] | Buffer): Asn1 {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- Node-forge's enum has the universal types only.
  const type: forge.asn1.Type = tag;
  return Buffer.isBuffer(inner)
    ? asn1.create(Class.CONTEXT_SPECIFIC, type, false, inner.toString('binary'))
    : asn1.create(Class.CONTEXT_SPECIFIC, type, true, [...inner]);
}

function primitive(type: forge.asn1.Type, bytes: Buffer): Asn1 {
  return asn1.create(Class.UNIVERSAL, type, false, bytes.toString('binary'));
}

/** @param bytes big endian; the first bit is the sign */
export function integer(bytes: Buffer): Asn1 {
  return primitive(Type.INTEGER, bytes);
}

export function boolean(value: boolean): Asn1 {
  return primitive(Type.BOOLEAN, Buffer.from([value ? 0xff : 0]));
}

export function octets(bytes: Buffer): Asn1 {
  return primitive(Type.OCTETSTRING, bytes);
}

/** @param unused bits at the end of the last byte that do not count */
export function bits(bytes: Buffer, unused = 0): Asn1 {
  return primitive(Type.BITSTRING, Buffer.concat([Buffer.from([unused]), bytes]));
}

export function objectId(oid: string): Asn1 {
  return primitive(Type.OID, Buffer.from(asn1.oidToDer(oid).getBytes(), 'binary'));
}

/** The dotted form of an OID; empty where there is none. */
export function readObjectId(value: Asn1 | undefined): string {
  return value?.type === Type.OID && typeof value.value === 'string' ? asn1.derToOid(value.value) : '';
}

export function utf8(text: string): Asn1 {
  return primitive(Type.UTF8, Buffer.from(text));
}

export function nothing(): Asn1 {
  return primitive(Type.NULL, Buffer.alloc(0));
}

/** UTCTime up to 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5). */
export function time(date: Date): Asn1 {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  return date.getUTCFullYear() < 2050
    ? primitive(Type.UTCTIME, Buffer.from(digits.slice(2)))
    : primitive(Type.GENERALIZEDTIME, Buffer.from(digits));
}
