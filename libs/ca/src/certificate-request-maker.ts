import { generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { type Asn1, bits, integer, objectId, parseDer, sequence, set, tagged, toDer } from './asn1.js';
import { algorithmOf, alternativeNames, emptyName, spkiOf } from './certificate.js';
import { oids } from './oids.js';
import { encodePem } from './pem.js';

const makeKeyPair = promisify(generateKeyPair);

/** What keys workloads have: Istio's ECC_SIGNATURE_ALGORITHM and WORKLOAD_RSA_KEY_SIZE. */
export type WorkloadKeyType = 'ecdsa-p256' | 'rsa-2048';

/** @returns a new private key; its public part is derived from it */
export async function makeWorkloadKey(type: WorkloadKeyType): Promise<KeyObject> {
  const { privateKey } =
    type === 'rsa-2048'
      ? await makeKeyPair('rsa', { modulusLength: 2048 })
      : await makeKeyPair('ec', { namedCurve: 'P-256' });
  return privateKey;
}

/** `[0]` with nothing in it: a request of no attributes (RFC 2986, 4.1: it is not optional). */
const noAttributes = tagged(0, []);

/** What a request asks to be called. Citadel's own key does not read it; an authority elsewhere signs it as it is. */
export interface AskedNames {
  readonly uris: readonly string[];
  readonly dnsNames?: readonly string[];
}

function attributesFor({ uris, dnsNames = [] }: AskedNames): Asn1 {
  const names = alternativeNames(uris, dnsNames, true);
  return tagged(0, [sequence(objectId(oids.extensionRequest), set(sequence(names)))]);
}

/**
 * Makes a PKCS #10 request that proves possession of a key. Who the certificate is for is what the asker proves to the
 * authority: without names it asks to be called nothing.
 * @param key private, ECDSA or RSA; signs with SHA-256
 * @param names where an authority behind citadel signs the request as it is
 * @returns PEM
 */
export function makeCertificateRequest(key: KeyObject, names?: AskedNames): string {
  const attributes = names ? attributesFor(names) : noAttributes;
  const info = sequence(integer(Buffer.from([0])), emptyName, parseDer(spkiOf(key)), attributes);
  const signature = sign('sha256', toDer(info), key);
  return encodePem('CERTIFICATE REQUEST', toDer(sequence(info, algorithmOf(key), bits(signature))));
}
