import forge from 'node-forge';

export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
}

const { pki } = forge;
let serial = 0;

/** A certificate for a DNS name, signed by `issuer`, or by itself as a root. */
export function testCertificate(name: string, issuer?: TestCertificate): TestCertificate {
  const keys = pki.rsa.generateKeyPair(2048);
  const certificate = pki.createCertificate();
  certificate.publicKey = keys.publicKey;
  certificate.serialNumber = String(++serial).padStart(2, '0');
  certificate.validity.notBefore = new Date(Date.now() - 60_000);
  certificate.validity.notAfter = new Date(Date.now() + 3_600_000);
  const subject = [{ name: 'commonName', value: name }];
  certificate.setSubject(subject);
  certificate.setIssuer(issuer ? pki.certificateFromPem(issuer.certificate).subject.attributes : subject);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: issuer === undefined },
    ...(issuer ? [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }] : []),
  ]);
  const signer = issuer ? pki.privateKeyFromPem(issuer.key) : keys.privateKey;
  certificate.sign(signer, forge.md.sha256.create());
  return { certificate: pki.certificateToPem(certificate), key: pki.privateKeyToPem(keys.privateKey) };
}
