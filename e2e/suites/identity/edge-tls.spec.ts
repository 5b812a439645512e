import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { AdsClient, aNode, poll } from '@seine/testing';
import {
  type Certificate,
  documents,
  istioYaml,
  secretYaml,
  serviceYaml,
  TestAuthority,
  TestMesh,
  tlsRequest,
  type TlsRequestOptions,
  to,
} from '../../src/index.js';

jest.setTimeout(180_000);
const port = 8443;
const secretType = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
let mesh: TestMesh;
let authority: TestAuthority;

beforeAll(async () => {
  mesh = await TestMesh.start({ identity: true, gateway: true, workloads: [{ name: 'shop-v1', sidecar: true }] });
  authority = new TestAuthority(folder());
});
afterAll(() => mesh.stop());

const folder = () => path.join(mesh.folder, 'authority');
const file = (name: string) => path.join(folder(), name);
const openssl = (...args: readonly string[]) => execFileSync('openssl', [...args], { stdio: 'pipe' });

const secret = (name: string, { key, cert }: Certificate, more: Readonly<Record<string, Buffer>> = {}) =>
  secretYaml(name, { 'tls.crt': cert, 'tls.key': key, ...more });
const host = 'shop.example.com';
const server = (settings: object) => ({
  port: { number: port, name: 'https', protocol: 'HTTPS' },
  hosts: [host],
  tls: { mode: 'SIMPLE', credentialName: 'shop', ...settings },
});
/** The gateway that serves the shop, with these settings of TLS. */
const gateway = (settings: object = {}): string =>
  documents(
    istioYaml('Gateway', 'secure', { selector: { istio: 'ingressgateway' }, servers: [server(settings)] }),
    istioYaml('VirtualService', 'shop', { hosts: [host], gateways: ['secure'], http: [{ route: [to('shop')] }] }),
  );
const call = (options: Partial<TlsRequestOptions> = {}) =>
  tlsRequest(mesh.gatewayAddress, port, { servername: host, ...options });
const fingerprint = (cert: Buffer) => new X509Certificate(cert).fingerprint256;
const shows = async (cert: Buffer) => (await call()).fingerprint === fingerprint(cert);

/** What a client with these limits agrees on with the gateway; undefined: nothing. */
async function handshake(
  options: tls.ConnectionOptions,
): Promise<{ cipher: string; keyType: string | undefined } | undefined> {
  return await new Promise((resolve) => {
    const socket = tls.connect(
      { host: mesh.gatewayAddress, port, servername: host, rejectUnauthorized: false, ...options },
      () => {
        const keyType = socket.getPeerX509Certificate()?.publicKey.asymmetricKeyType;
        resolve({ cipher: socket.getCipher().name, keyType });
        socket.destroy();
      },
    );
    socket.on('error', () => resolve(undefined));
  });
}

/** A leaf whose key has the form that cert-manager writes unless told otherwise. */
function likeCertManager(algorithm: 'rsa' | 'ec'): Certificate {
  const [key, request, cert] = [file(`${algorithm}.key`), file(`${algorithm}.csr`), file(`${algorithm}.crt`)];
  if (algorithm === 'rsa') openssl('genrsa', '-traditional', '-out', key, '2048');
  else openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key);
  openssl('req', '-new', '-key', key, '-subj', `/CN=${host}`, '-out', request);
  fs.writeFileSync(file('names.cnf'), `subjectAltName=DNS:${host}\n`);
  const from = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '2'];
  openssl('x509', '-req', '-in', request, ...from, '-extfile', file('names.cnf'), '-out', cert);
  // The chain: the leaf, then what signed it.
  const chain = Buffer.concat([fs.readFileSync(cert), authority.certificate]);
  return { key: fs.readFileSync(key), cert: chain };
}

describe('certificates of Secrets as cert-manager writes them', () => {
  it.each([
    ['rsa', 'BEGIN RSA PRIVATE KEY'],
    ['ec', 'BEGIN EC PRIVATE KEY'],
  ] as const)('%s, with the chain and the CA beside', async (algorithm, form) => {
    const certificate = likeCertManager(algorithm);
    expect(certificate.key.toString()).toContain(form);
    await mesh.apply('edge', documents(secret('shop', certificate, { 'ca.crt': authority.certificate }), gateway()));
    await poll(() => shows(certificate.cert), 'the certificate');
    expect(await call()).toMatchObject({ status: 200, workload: 'shop-v1' });
  });

  it('S-8: are replaced within 5 s, without a failed request', async () => {
    const renewals = Array.from({ length: 5 }, () => authority.issue(host));
    const [first] = renewals;
    await mesh.apply('edge', documents(secret('shop', first!), gateway()));
    await poll(() => shows(first!.cert), 'the first certificate');
    const statuses: (number | undefined)[] = [];
    const ended = new AbortController();
    const load = (async () => {
      while (!ended.signal.aborted) statuses.push((await call()).status);
    })();
    for (const renewed of renewals.slice(1)) {
      mesh.write('edge', documents(secret('shop', renewed), gateway()));
      await poll(() => shows(renewed.cert), 'the renewed certificate', 5000);
    }
    ended.abort();
    await load;
    expect(statuses.length).toBeGreaterThan(10);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
  });

  const text = (pem: Buffer) => pem.toString('latin1');
  const spoilt: readonly (readonly [
    what: string,
    spoil: (own: Certificate, other: Certificate) => Certificate,
    why: RegExp,
  ])[] = [
    ['a key of another certificate', (own, other) => ({ ...own, key: other.key }), /key does not belong/],
    ['a certificate that is cut off', (own) => ({ ...own, cert: own.cert.subarray(0, 300) }), /No X\.509 certificate/],
    [
      'a chain of which one certificate is broken',
      (own) => ({ ...own, cert: Buffer.concat([own.cert, Buffer.from(text(own.cert).replace(/\n.{20}/, '\nAAAA'))]) }),
      /No X\.509 certificate/,
    ],
    ['a key that is no PEM', (own) => ({ ...own, key: Buffer.from('secret') }), /No private key/],
    ['no key', (own) => ({ ...own, key: Buffer.alloc(0) }), /must have the value tls\.key/],
  ];
  it.each(spoilt)('S-8: with %s: the old one stays, and it is said why', async (_what, spoil, why) => {
    const [good, other] = [authority.issue(host), authority.issue(host)];
    await mesh.apply('edge', documents(secret('shop', good), gateway()));
    await poll(() => shows(good.cert), 'the good certificate');
    const said = mesh.pilot.process.output.length;
    mesh.write('edge', documents(secret('shop', spoil(good, other)), gateway()));
    await poll(() => why.test(mesh.pilot.process.output.slice(said)), 'pilot to say why');
    expect(mesh.pilot.process.output.slice(said)).toMatch(/SEINE-SECRET.*Secret istio-system\/shop/);
    expect(await call()).toMatchObject({ status: 200, fingerprint: fingerprint(good.cert) });
    // Nor does it spoil what is changed beside it.
    const renewed = authority.issue(host);
    mesh.write('edge', documents(secret('shop', renewed), gateway()));
    await poll(() => shows(renewed.cert), 'the next good certificate');
  });
});

describe('what clients may offer', () => {
  it('shows the RSA or the ECDSA certificate of two, by what the client can verify', async () => {
    const yaml = documents(
      secret('shop-rsa', likeCertManager('rsa')),
      secret('shop-ec', likeCertManager('ec')),
      gateway({ credentialName: undefined, credentialNames: ['shop-rsa', 'shop-ec'] }),
    );
    await mesh.apply('edge', yaml);
    const keyType = async (sigalgs: string) => (await handshake({ sigalgs, maxVersion: 'TLSv1.2' }))?.keyType;
    await poll(async () => (await keyType('ECDSA+SHA256')) === 'ec', 'the ECDSA certificate');
    expect(await keyType('RSA-PSS+SHA256:RSA+SHA256')).toBe('rsa');
  });

  it('takes no cipher and no version but those of the server', async () => {
    const limits = {
      cipherSuites: ['ECDHE-ECDSA-AES256-GCM-SHA384'],
      minProtocolVersion: 'TLSV1_2',
      maxProtocolVersion: 'TLSV1_2',
    };
    await mesh.apply('edge', documents(secret('shop', authority.issue(host)), gateway(limits)));
    const cipher = async (options: tls.ConnectionOptions) => (await handshake(options))?.cipher;
    const only = limits.cipherSuites[0];
    await poll(async () => (await cipher({})) === only, 'the only cipher');
    expect(await cipher({ ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' })).toBeUndefined();
    expect(await cipher({ minVersion: 'TLSv1.3' })).toBeUndefined();
    expect(await cipher({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' })).toBeUndefined();
  });

  /** A revocation list of the authority. @param revoked certificates */
  function revocations(...revoked: readonly Certificate[]): Buffer {
    fs.writeFileSync(file('index.txt'), '');
    fs.writeFileSync(file('index.txt.attr'), 'unique_subject = no\n');
    const config = `[ca]\ndefault_ca=own\n[own]\ndatabase=${file('index.txt')}\ndefault_md=sha256\ndefault_crl_days=2\n`;
    fs.writeFileSync(file('crl.cnf'), config);
    const own = ['-config', file('crl.cnf'), '-cert', file('ca.pem'), '-keyfile', file('ca.key')];
    for (const { cert } of revoked) {
      fs.writeFileSync(file('revoked.pem'), cert);
      openssl('ca', ...own, '-revoke', file('revoked.pem'));
    }
    return openssl('ca', ...own, '-gencrl');
  }

  it.each(['MUTUAL', 'OPTIONAL_MUTUAL'])(
    '%s: takes no certificate that ca.crl revokes, when it is revoked too',
    async (mode) => {
      const [alice, bob] = [authority.issue('alice'), authority.issue('bob')];
      const yaml = (crl: Buffer) =>
        documents(
          secret('shop', authority.issue(host)),
          secretYaml('shop-cacert', { 'ca.crt': authority.certificate, 'ca.crl': crl }, 'istio-system', 'Opaque'),
          gateway({ mode }),
        );
      const statuses = () =>
        Promise.all([undefined, alice, bob].map(async (client) => (await call({ client })).status));
      const nobody = mode === 'MUTUAL' ? undefined : 200;
      await mesh.apply('edge', yaml(revocations()));
      await poll(async () => JSON.stringify(await statuses()) === JSON.stringify([nobody, 200, 200]), 'both clients');
      await mesh.apply('edge', yaml(revocations(bob)));
      await poll(async () => (await call({ client: bob })).status === undefined, 'the revocation');
      expect(await statuses()).toEqual([nobody, 200, undefined]);
    },
  );
});

describe('S-6: whose certificates a gateway gets', () => {
  /** The secrets that pilot gives a gateway of a namespace, which has proved its identity. */
  async function given(namespace: string, ...names: readonly string[]): Promise<readonly string[] | undefined> {
    const own = await mesh.svid('gateway', { namespace });
    const anyName = { checkServerIdentity: () => undefined };
    const ssl = credentials.createSsl(Buffer.from(own.ca), own.key, own.cert, anyName);
    const client = new AdsClient(`127.0.0.1:${mesh.pilot.ports.secureXds}`, { credentials: ssl });
    const node = {
      ...aNode('thief', { NAMESPACE: namespace, LABELS: { istio: 'ingressgateway' } }),
      id: `router~127.0.9.9~thief.${namespace}~${namespace}.svc.cluster.local`,
    };
    const stream = client.open('delta', node).request({ typeUrl: secretType, names: [...names] });
    const answer = await stream.next(secretType).catch(() => undefined);
    client.close();
    return answer?.resources.map(({ name }) => name);
  }

  it('none of another namespace, whatever it and its Gateways ask for; that is logged', async () => {
    const asked = ['kubernetes://istio-system/shop', 'kubernetes-gateway://istio-system/shop'];
    const stolen = asked.map((credentialName) => server({ credentialName }));
    await mesh.apply(
      'edge',
      documents(
        secret('shop', authority.issue(host)),
        gateway(),
        istioYaml('Gateway', 'thief', { selector: { istio: 'ingressgateway' }, servers: stolen }, 'team'),
      ),
    );
    expect(await given('istio-system', 'kubernetes://shop')).toEqual(['kubernetes://shop']);
    expect(await given('team', 'kubernetes://shop', ...asked)).toEqual([]);
    await poll(
      () => mesh.pilot.process.output.includes('asks for secrets that are not there, or not for it'),
      'a line in the log',
    );
    expect(mesh.pilot.process.output).toMatch(
      /thief\.team~team.* asks for .*kubernetes-gateway:\/\/istio-system\/shop/,
    );
  });

  it('that of another namespace which a ReferenceGrant opens, as long as it is there', async () => {
    const certificate = authority.issue(host);
    const object = (kind: string, version: string, name: string, namespace: string, spec: object) =>
      `apiVersion: gateway.networking.k8s.io/${version}
kind: ${kind}
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${JSON.stringify(spec)}
`;
    const listener = {
      name: 'https',
      port: 80,
      protocol: 'HTTPS',
      hostname: host,
      tls: { certificateRefs: [{ name: 'vaulted', namespace: 'vault' }] },
    };
    const granted = object('ReferenceGrant', 'v1beta1', 'shop', 'vault', {
      from: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'default' }],
      to: [{ group: '', kind: 'Secret', name: 'vaulted' }],
    });
    const yaml = documents(
      serviceYaml({ name: 'plain', namespace: 'vault' }),
      secretYaml('vaulted', { 'tls.crt': certificate.cert, 'tls.key': certificate.key }, 'vault'),
      object('Gateway', 'v1', 'shop', 'default', { gatewayClassName: 'istio', listeners: [listener] }),
      object('HTTPRoute', 'v1', 'shop', 'default', {
        parentRefs: [{ name: 'shop' }],
        rules: [{ backendRefs: [{ name: 'shop', port: 8080 }] }],
      }),
    );
    const seen = () => tlsRequest(mesh.gatewayAddress, 8080, { servername: host });
    await mesh.apply('edge', yaml);
    expect((await seen()).fingerprint).toBeUndefined();
    await mesh.apply('grant', granted);
    await poll(async () => (await seen()).fingerprint === fingerprint(certificate.cert), 'the certificate');
    expect(await seen()).toMatchObject({ status: 200, workload: 'shop-v1' });
    await mesh.remove('grant');
    await poll(async () => (await seen()).fingerprint === undefined, 'the certificate to be withdrawn');
  });
});
