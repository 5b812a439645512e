import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CertificateRequestError, readCertificateRequest } from './certificate-request.js';
import { randomSerial } from './certificate.js';
import { encodePem } from './pem.js';
import { clockSkewMs, issueCertificate, makeRoot, readSigner, type Signer, type SigningFiles } from './signer.js';
import { OpensslFolder } from './testing/openssl.js';

const openssl = new OpensslFolder();
afterAll(() => openssl.remove());

const now = Date.now();
const hour = 3_600_000;
const identity = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'bookinfo-reviews' };
let files: SigningFiles;
let signer: Signer;
beforeAll(async () => {
  files = await makeRoot({ trustDomain: 'cluster.local', now, lifetimeMs: 24 * hour });
  signer = readSigner(files, now);
});

function issue(request: string, lifetimeMs = hour) {
  return issueCertificate(signer, { identity, request: readCertificateRequest(request), lifetimeMs, now });
}

describe('an issued certificate', () => {
  it.each([
    ['ECDSA P-256', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], 'Digital Signature'],
    ['ECDSA P-384', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'], 'Digital Signature'],
    ['RSA 2048', ['rsa:2048'], 'Digital Signature, Key Encipherment'],
  ])('C-1 C-2 C-3 for a key of %s is an X.509-SVID, says openssl', (_name, key, usages) => {
    const { chain } = issue(openssl.request(key));
    const text = openssl.text(chain[0]!);
    expect(text).toMatch(/Subject: *\n/);
    expect(text).toMatch(
      /X509v3 Subject Alternative Name: critical\s+URI:spiffe:\/\/cluster.local\/ns\/default\/sa\/bookinfo-reviews\n/,
    );
    expect(text.match(/URI:/g)).toHaveLength(1);
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:FALSE/);
    expect(text).toMatch(new RegExp(`X509v3 Key Usage: critical\\s+${usages}\\n`));
    expect(text).toMatch(/X509v3 Extended Key Usage:\s+TLS Web Server Authentication, TLS Web Client Authentication\n/);
  });

  it('C-16 comes with its chain, the root last, which openssl verifies strictly', () => {
    const { chain } = issue(openssl.request());
    expect(chain).toHaveLength(2);
    expect(new X509Certificate(chain[1]!).fingerprint256).toBe(new X509Certificate(files.roots).fingerprint256);
    expect(openssl.verify(chain[0]!, '', files.roots)).toBe('/leaf.pem: OK');
  });

  it('C-14 is in force two minutes before it is made, and ends when asked', () => {
    const leaf = new X509Certificate(issue(openssl.request(), 600_000).chain[0]!);
    const second = (ms: number) => Math.floor(ms / 1000);
    expect(second(Date.parse(leaf.validFrom))).toBe(second(now - clockSkewMs));
    expect(second(Date.parse(leaf.validTo))).toBe(second(now + 600_000));
  });

  it('ends with what signed it at the latest', () => {
    const leaf = new X509Certificate(issue(openssl.request(), 1000 * hour).chain[0]!);
    expect(leaf.validTo).toBe(signer.certificate.validTo);
  });

  it('C-6 holds nothing of what the request asks for', () => {
    const config = openssl.file(
      'asks.cnf',
      '[req]\ndistinguished_name=dn\nreq_extensions=ext\n[dn]\n[ext]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n' +
        'extendedKeyUsage=codeSigning\nsubjectAltName=URI:spiffe://cluster.local/ns/kube-system/sa/admin,DNS:evil.example.com,IP:10.0.0.1\n',
    );
    const { chain } = issue(openssl.request(undefined, ['-config', config, '-subj', '/CN=admin/O=evil']));
    const text = openssl.text(chain[0]!);
    for (const asked of [/evil/, /admin/, /CA:TRUE/, /Certificate Sign/, /Code Signing/, /DNS:/, /IP Address/])
      expect(text).not.toMatch(asked);
  });

  it('C-15 has a serial of its own: positive, 126 random bits', () => {
    const serials = Array.from({ length: 100_000 }, () => randomSerial());
    expect(new Set(serials.map((serial) => serial.toString('hex'))).size).toBe(serials.length);
    expect(serials.every((serial) => serial.length === 16 && serial[0]! >= 0x40 && serial[0]! < 0x80)).toBe(true);
  });
});

describe('the root', () => {
  it('C-4 may sign, and names the trust domain only', () => {
    const text = openssl.text(files.certificate);
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:TRUE\n/);
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    expect(text).toMatch(/URI:spiffe:\/\/cluster.local\n/);
    expect(text).toMatch(/Subject: O ?= ?cluster.local\n/);
    expect(openssl.verify(files.certificate, '', files.roots)).toBe('/leaf.pem: OK');
  });
});

function corrupt(pem: string, at: number): string {
  const der = Buffer.from(pem.replace(/-----.*-----|\s/g, ''), 'base64');
  der[at < 0 ? der.length + at : at]! ^= 1;
  return encodePem('CERTIFICATE REQUEST', der);
}

describe('a request', () => {
  const refusal = (pem: string): string => {
    try {
      readCertificateRequest(pem);
      return 'taken';
    } catch (error) {
      if (error instanceof CertificateRequestError) return error.message;
      throw error;
    }
  };

  it('C-7 with a signature that is not its own is refused', () => {
    const request = openssl.request();
    expect(refusal(request)).toBe('taken');
    expect(refusal(corrupt(request, -5))).toMatch(/signature of the request is not by its key/);
  });

  it.each([
    ['a short RSA key', ['rsa:1024'], /RSA key of 1024 bits is too short/],
    ['an unusual curve', ['ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'], /curve secp256k1 is not taken/],
    ['an Ed25519 key', ['ed25519'], /type ed25519 is not taken/],
  ])('with %s is refused', (_name, key, reason) => expect(refusal(openssl.request(key))).toMatch(reason));

  it('signed with SHA-1 is refused', () => {
    expect(refusal(openssl.request(undefined, ['-sha1']))).toMatch(
      /signature algorithm 1.2.840.10045.4.1 is not taken/,
    );
  });

  const sequences = (depth: number) => Buffer.concat(Array.from({ length: depth }, () => Buffer.from([0x30, 0x80])));
  it.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['no end', '-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n'],
    ['an empty block', '-----BEGIN CERTIFICATE REQUEST-----\n\n-----END CERTIFICATE REQUEST-----'],
    ['no DER', encodePem('CERTIFICATE REQUEST', Buffer.from('hello'))],
    ['a sequence of nothing', encodePem('CERTIFICATE REQUEST', Buffer.from([0x30, 0]))],
    ['a length that lies', encodePem('CERTIFICATE REQUEST', Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff]))],
    ['a deep nest', encodePem('CERTIFICATE REQUEST', sequences(5000))],
    ['another kind of PEM', encodePem('CERTIFICATE', Buffer.from([0x30, 0]))],
  ])('C-8 of %s is refused as no request', (_name, pem) =>
    expect(refusal(pem)).toMatch(/not a certificate request in PEM/),
  );

  it('C-8 of 10 MiB is refused unread', () => {
    expect(refusal(`-----BEGIN CERTIFICATE REQUEST-----\n${'A'.repeat(10 * 1024 * 1024)}`)).toMatch(
      /at most 16384 bytes/,
    );
  });

  it('C-8 broken anywhere is refused (every byte)', () => {
    const request = openssl.request();
    const length = Buffer.from(request.replace(/-----.*-----|\s/g, ''), 'base64').length;
    for (let at = 0; at < length; at++) expect([at, refusal(corrupt(request, at))]).not.toEqual([at, 'taken']);
  });
});

describe('CA files', () => {
  it.each<[string, (ours: SigningFiles, other: SigningFiles) => Partial<SigningFiles>, RegExp]>([
    ['without a certificate', () => ({ certificate: '' }), /ca-cert.pem holds no certificate/],
    [
      'with a broken certificate',
      () => ({ certificate: encodePem('CERTIFICATE', Buffer.from('x')) }),
      /ca-cert.pem holds a certificate that cannot be read/,
    ],
    ['with a broken key', () => ({ key: 'x' }), /ca-key.pem holds no private key/],
    ['with another key', (_, other) => ({ key: other.key }), /ca-key.pem is not the key of ca-cert.pem/],
    ['with another root', (_, other) => ({ roots: other.roots }), /does not chain to a certificate in root-cert.pem/],
  ])('%s are refused', async (_name, change, message) => {
    const other = await makeRoot({ trustDomain: 'other', now, lifetimeMs: hour });
    expect(() => readSigner({ ...files, ...change(files, other) }, now)).toThrow(message);
  });

  it('that have expired are refused', () => {
    expect(() => readSigner(files, now + 25 * hour)).toThrow(/ca-cert.pem has expired/);
  });

  it('of a leaf are refused', () => {
    const { chain } = issue(openssl.request());
    const key = { certificate: chain[0]!, key: '', chain: '', roots: files.roots };
    expect(() => readSigner({ ...files, ...key, key: openssl.file('key.pem') && readKey() }, now)).toThrow(
      /may not sign certificates/,
    );
  });
});

function readKey(): string {
  return process.getBuiltinModule('node:fs').readFileSync(openssl.file('key.pem'), 'utf8');
}
