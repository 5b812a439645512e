import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { makeCertificateRequest, makeWorkloadKey } from '../certificate-request-maker.js';
import { readCertificateRequest } from '../certificate-request.js';
import { makeRoot, readSigner, type Signer } from '../signer.js';
import { FakeKubeApi } from '../testing/fake-kube-api.js';
import { OpensslFolder } from '../testing/openssl.js';
import { CertManagerSigner } from './cert-manager.js';
import type { CertificateSigner, SigningOrder } from './certificate-signer.js';
import { KubernetesCsrSigner } from './kubernetes-csr.js';

const openssl = new OpensslFolder();
afterAll(() => openssl.remove());
const identity = { trustDomain: 'td', namespace: 'default', serviceAccount: 'reviews' };
const spiffeId = 'spiffe://td/ns/default/sa/reviews';
let ours: Signer;
let strangers: Signer;
let csr: string;
let api: FakeKubeApi;
/** Moves with each pause, so that nothing is waited for. */
let clock: number;

beforeAll(async () => {
  const signerOf = async (trustDomain: string) =>
    readSigner(await makeRoot({ trustDomain, now: Date.now(), lifetimeMs: 1e9 }), Date.now());
  ours = await signerOf('td');
  strangers = await signerOf('td');
  csr = makeCertificateRequest(await makeWorkloadKey('ecdsa-p256'), { uris: [spiffeId] });
});
beforeEach(() => {
  api = new FakeKubeApi();
  api.signer = { by: ours };
  clock = 0;
});

const patience = {
  timeoutMs: 5000,
  now: () => clock,
  pause: (ms: number) => {
    clock += ms;
    return Promise.resolve();
  },
};
const roots = () => [ours.path.at(-1)!];
const kubernetes = () => new KubernetesCsrSigner({ api, signerName: 'example.com/mesh', roots, patience });
const certManager = () => {
  const issuer = { name: 'mesh', kind: 'ClusterIssuer', group: 'cert-manager.io' };
  return new CertManagerSigner({ api, namespace: 'istio-system', issuer, roots, patience });
};
function order(pem = csr, change: Partial<SigningOrder> = {}): SigningOrder {
  const request = readCertificateRequest(pem);
  return { identity, csr: pem, request, lifetimeMs: 3_600_000, now: Date.now(), ...change };
}

describe.each<[string, () => CertificateSigner]>([
  ['the signer of certificates.k8s.io (against a double of the API)', kubernetes],
  ['the signer of cert-manager (against a double of the API)', certManager],
])('%s', (_name, signer) => {
  it('C-16 gives the chain to the trusted root, and leaves no request behind', async () => {
    const issued = await signer().sign(order());
    expect(issued.spiffeId).toBe(spiffeId);
    expect(new X509Certificate(issued.chain[0]!).subjectAltName).toBe(`URI:${spiffeId}`);
    expect(openssl.verify(issued.chain[0]!, '', issued.chain.at(-1)!)).toBe('/leaf.pem: OK');
    expect(api.requests.size).toBe(0);
  });

  it.each<[string, { uris: string[]; dnsNames?: string[] }]>([
    ['another identity', { uris: ['spiffe://td/ns/kube-system/sa/admin'] }],
    ['an identity more', { uris: [spiffeId, 'spiffe://td/ns/kube-system/sa/admin'] }],
    ['a DNS name', { uris: [spiffeId], dnsNames: ['evil.example.com'] }],
    ['no name', { uris: [] }],
  ])('C-6 hands on no request for %s', async (_what, names) => {
    const pem = makeCertificateRequest(await makeWorkloadKey('ecdsa-p256'), names);
    await expect((async () => signer().sign(order(pem)))()).rejects.toThrow(/must have spiffe:\/\/td\/ns\/default/);
    expect(api.asked).toEqual([]);
  });

  it.each([
    ['CA:TRUE', 'basicConstraints=critical,CA:TRUE', /asks for the extension 2.5.29.19/],
    ['keyCertSign', 'keyUsage=critical,digitalSignature,keyCertSign', /key usage that no workload has/],
    ['code signing', 'extendedKeyUsage=codeSigning', /key purpose that no workload has/],
  ])('C-6 hands on no request for %s', async (_what, extension, reason) => {
    const config = openssl.file(
      'asks.cnf',
      `[req]\ndistinguished_name=dn\nreq_extensions=ext\n[dn]\n[ext]\n${extension}\nsubjectAltName=URI:${spiffeId}\n`,
    );
    const pem = openssl.request(undefined, ['-config', config]);
    await expect((async () => signer().sign(order(pem)))()).rejects.toThrow(reason);
    expect(api.asked).toEqual([]);
  });

  it('takes no certificate of a root that is not trusted, nor of another identity, nor for another key', async () => {
    api.signer = { by: strangers };
    await expect((async () => signer().sign(order()))()).rejects.toThrow(/does not chain to a root of td/);
    const other = makeCertificateRequest(await makeWorkloadKey('ecdsa-p256'), { uris: [spiffeId] });
    const stolen = await independent().sign(order(other));
    api.signer = { by: ours, change: () => stolen.chain[0]! };
    await expect((async () => signer().sign(order()))()).rejects.toThrow(/signed another key/);
    const admin = { ...identity, serviceAccount: 'admin' };
    const adminsCsr = makeCertificateRequest(await makeWorkloadKey('ecdsa-p256'), {
      uris: ['spiffe://td/ns/default/sa/admin'],
    });
    const admins = await independent().sign(order(adminsCsr, { identity: admin }));
    api.signer = { by: ours, change: () => admins.chain[0]! };
    await expect((async () => signer().sign(order()))()).rejects.toThrow(/signed for .*admin, not for .*reviews/);
  });

  it('says that nobody signs: the API away, forbidden, denied, or too slow', async () => {
    api.isAway = true;
    await expect((async () => signer().sign(order()))()).rejects.toThrow(/the Kubernetes API: connect ECONNREFUSED/);
    api.isAway = false;
    api.status = 403;
    await expect((async () => signer().sign(order()))()).rejects.toThrow(/answered 403: forbidden/);
    api.status = undefined;
    api.verdict = { type: 'Denied', status: 'True', message: 'not by policy' };
    await expect((async () => signer().sign(order()))()).rejects.toThrow(/not by policy/);
    api.verdict = undefined;
    api.signer = undefined;
    await expect((async () => signer().sign(order()))()).rejects.toThrow(/not in 5000 ms/);
    expect(api.requests.size).toBe(0);
  });
});

/** A signer of the same authority over another API. */
function independent(): KubernetesCsrSigner {
  const other = new FakeKubeApi();
  other.signer = { by: ours };
  return new KubernetesCsrSigner({ api: other, signerName: 'x/y', roots, patience });
}

describe('what is asked of', () => {
  it('certificates.k8s.io: the signer, the life, the usages; approved by citadel', async () => {
    await kubernetes().sign(order());
    expect(api.asked.map(({ method, path }) => `${method} ${path.replace(/seine-\w+/, 'NAME')}`)).toEqual([
      'POST /apis/certificates.k8s.io/v1/certificatesigningrequests',
      'PUT /apis/certificates.k8s.io/v1/certificatesigningrequests/NAME/approval',
      'GET /apis/certificates.k8s.io/v1/certificatesigningrequests/NAME',
      'DELETE /apis/certificates.k8s.io/v1/certificatesigningrequests/NAME',
    ]);
    expect(api.asked[0]!.body).toMatchObject({
      kind: 'CertificateSigningRequest',
      spec: {
        signerName: 'example.com/mesh',
        expirationSeconds: 3600,
        usages: ['digital signature', 'server auth', 'client auth'],
        request: Buffer.from(csr).toString('base64'),
      },
    });
    expect(api.asked[1]!.body).toMatchObject({ status: { conditions: [{ type: 'Approved', status: 'True' }] } });
  });

  it('cert-manager: the issuer, the life, and no authority', async () => {
    await certManager().sign(order());
    expect(api.asked[0]).toMatchObject({
      path: '/apis/cert-manager.io/v1/namespaces/istio-system/certificaterequests',
      body: {
        kind: 'CertificateRequest',
        spec: { issuerRef: { name: 'mesh', kind: 'ClusterIssuer' }, duration: '3600s', isCA: false },
      },
    });
  });
});
