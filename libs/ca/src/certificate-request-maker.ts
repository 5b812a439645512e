import { generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { bits, integer, parseDer, sequence, tagged, toDer } from './asn1.js';
import { algorithmOf, emptyName, spkiOf } from './certificate.js';
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

/**
 * Makes a PKCS #10 request that proves possession of a key and asks for no name: who the certificate is for is what
 * the asker proves to the authority.
 * @param key private, ECDSA or RSA; signs with SHA-256
 * @returns PEM
 */
export function makeCertificateRequest(key: KeyObject): string {
  const info = sequence(integer(Buffer.from([0])), emptyName, parseDer(spkiOf(key)), noAttributes);
  const signature = sign('sha256', toDer(info), key);
  return encodePem('CERTIFICATE REQUEST', toDer(sequence(info, algorithmOf(key), bits(signature))));
}
