import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { makeCertificateRequest, makeWorkloadKey, type WorkloadKeyType } from './certificate-request-maker.js';
import { readCertificateRequest } from './certificate-request.js';

describe('makeCertificateRequest', () => {
  it.each<[WorkloadKeyType, string]>([
    ['ecdsa-p256', 'ASN1 OID: prime256v1'],
    ['rsa-2048', 'Public-Key: (2048 bit)'],
  ])('makes requests of %s that OpenSSL and citadel take', async (type, detail) => {
    const key = await makeWorkloadKey(type);
    const pem = makeCertificateRequest(key);
    const spki = createPublicKey(key.export({ format: 'pem', type: 'pkcs8' })).export({ format: 'der', type: 'spki' });
    expect(readCertificateRequest(pem).spki).toEqual(spki);
    const said = execFileSync('openssl', ['req', '-noout', '-text', '-verify'], {
      input: pem,
      stdio: ['pipe', 'pipe', 'ignore'],
    }).toString();
    expect(said).toContain(detail);
    expect(said).toMatch(/Subject: *\n/);
  });

  it('is refused with another key in it', async () => {
    const [one, other] = [await makeWorkloadKey('ecdsa-p256'), await makeWorkloadKey('ecdsa-p256')];
    const der = Buffer.from(makeCertificateRequest(one).replace(/-----.*-----|\n/g, ''), 'base64');
    const spkiOf = (key: typeof one) =>
      createPublicKey(key.export({ format: 'pem', type: 'pkcs8' })).export({ format: 'der', type: 'spki' });
    const at = der.indexOf(spkiOf(one));
    const forged = Buffer.concat([der.subarray(0, at), spkiOf(other), der.subarray(at + spkiOf(one).length)]);
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${forged.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    expect(() => readCertificateRequest(pem)).toThrow(/not by its key/);
  });
});
