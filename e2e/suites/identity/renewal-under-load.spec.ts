import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { makeCertificateRequest, makeWorkloadKey } from '@seine/ca';
import { citadelClient } from '@seine/identity';
import { type Envoy, istioYaml, SpiffeAuthority, TestMesh } from '../../src/index.js';
import { SteadyLoad } from './steady-load.js';

jest.setTimeout(300_000);

/** Seconds: long enough for a busy machine to renew in time, short enough to see it several times. */
const ttl = 16;
const patienceMs = 120_000;
const url = 'http://reviews:8080/';
const strict = istioYaml('PeerAuthentication', 'default', { mtls: { mode: 'STRICT' } }).replace(
  'networking.',
  'security.',
);
/** Every call shakes hands anew: certificates are looked at when a connection is made. */
const newConnections = istioYaml('DestinationRule', 'reviews', {
  host: 'reviews',
  trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } },
});

/** A new root signs as soon as all have it; the old one is trusted until the last of its certificates has ended. */
const citadelArguments = ['--ttl', String(ttl), '--max-ttl', String(ttl), '--rotation-wait', '2'];

let mesh: TestMesh;
let load: SteadyLoad | undefined;
beforeAll(async () => {
  mesh = await TestMesh.start({
    identity: { ttl, citadelArguments },
    workloads: [{ name: 'reviews-v1', sidecar: true }],
    config: { strict, newConnections },
  });
});
afterEach(async () => {
  await load?.end();
});
afterAll(() => mesh.stop());

interface Certs {
  readonly certificates?: readonly {
    readonly ca_cert?: readonly { readonly serial_number: string }[];
    readonly cert_chain?: readonly { readonly serial_number: string }[];
  }[];
}

type Kind = 'ca_cert' | 'cert_chain';

/** Serial numbers of what an Envoy has in use: its own certificates, or the roots that it trusts. */
async function serials(envoy: Envoy, kind: Kind): Promise<ReadonlySet<string>> {
  const { certificates = [] } = await envoy.adminJson<Certs>('/certs');
  return new Set(certificates.flatMap(({ [kind]: found = [] }) => found.map(({ serial_number }) => serial_number)));
}

async function until(envoy: Envoy, kind: Kind, holds: (now: ReadonlySet<string>) => boolean, what: string) {
  await envoy.process.until(async () => holds(await serials(envoy, kind)), what, patienceMs);
}

/** Waits until an Envoy has none of the certificates any more that it has now. */
async function untilRenewed(envoy: Envoy): Promise<void> {
  const before = await serials(envoy, 'cert_chain');
  await until(envoy, 'cert_chain', (now) => now.size > 0 && [...now].every((one) => !before.has(one)), 'renewed');
}

/** What the sidecar of reviews shows whoever comes, before it looks at what they show. */
async function shownByReviews(): Promise<X509Certificate> {
  const { address } = mesh.workloads.get('reviews-v1')!;
  return await new Promise((resolve, reject) => {
    const socket = tls.connect({ host: address, port: 8080, rejectUnauthorized: false, ALPNProtocols: ['istio'] });
    socket.once('secureConnect', () => {
      const shown = socket.getPeerX509Certificate();
      socket.destroy();
      if (shown) resolve(shown);
      else reject(new Error('reviews shows no certificate'));
    });
    socket.once('error', reject);
  });
}

const serialOf = (pem: string) => new X509Certificate(pem).serialNumber.toLowerCase();
const streams = async () =>
  (await mesh.pilot.sync()).proxies.map(({ name, connectedAt }) => `${name} ${connectedAt}`).sort();

describe('under load', () => {
  it('every certificate is renewed on living streams without a failed request', async () => {
    const before = await streams();
    load = new SteadyLoad(mesh, url);
    for (let times = 0; times < 3; times++) await Promise.all(mesh.envoys.map(untilRenewed));
    expect(Object.keys(await load.end())).toEqual(['200']);
    expect(load.count).toBeGreaterThan(100);
    expect(await streams()).toEqual(before);
  });

  it('the root is rotated on living streams without a failed request', async () => {
    const before = await streams();
    const { identity } = mesh;
    const old = identity.authority;
    const next = await SpiffeAuthority.make();
    const [oldSerial, nextSerial] = [serialOf(old.roots), serialOf(next.roots)];
    load = new SteadyLoad(mesh, url);

    next.write(identity.cacertsDir);
    for (const envoy of mesh.envoys)
      await until(envoy, 'ca_cert', (now) => now.has(oldSerial) && now.has(nextSerial), 'trusting both roots');

    const signsNow = new X509Certificate(next.roots).publicKey;
    const { client } = mesh;
    await client.process.until(async () => (await shownByReviews()).verify(signsNow), 'with the new root', patienceMs);
    await Promise.all(mesh.envoys.map(untilRenewed));

    for (const envoy of mesh.envoys)
      await until(envoy, 'ca_cert', (now) => now.has(nextSerial) && !now.has(oldSerial), 'trusting the new root alone');
    const retired = load.count;
    await mesh.client.process.until(() => load!.count > retired + 100, 'called with the new root alone');

    // What citadel said outlasts the file of roots, and the file may say the same without harm.
    identity.trust(next.roots);
    await Promise.all(mesh.envoys.map(untilRenewed));

    expect(Object.keys(await load.end())).toEqual(['200']);
    expect(await streams()).toEqual(before);
  });

  it('a citadel that is killed while it signs leaves no request failed, and no certificate that is not written down', async () => {
    const { identity } = mesh;
    const { trustDomain } = identity.authority;
    const roots = fs.readFileSync(identity.rootsFile, 'utf8');
    const ask = citadelClient({
      address: identity.citadelAddress,
      trustDomain,
      bundles: () => new Map([[trustDomain, [roots]]]),
      lifetime: ttl,
      now: Date.now,
    });
    const csr = makeCertificateRequest(await makeWorkloadKey('ecdsa-p256'));
    const leaves: X509Certificate[] = [];
    const askAs = async (account: string): Promise<boolean> =>
      await ask(csr, { by: 'token', token: identity.issuer.token('default', account) }).then(
        ([leaf = '']) => {
          leaves.push(new X509Certificate(leaf));
          expect(leaves.at(-1)?.subjectAltName).toBe(`URI:spiffe://${trustDomain}/ns/default/sa/${account}`);
          return true;
        },
        () => false,
      );
    load = new SteadyLoad(mesh, url);
    for (let round = 0; round < 3; round++) {
      const accounts = Array.from({ length: 40 }, (_, index) => `asker-${round}-${index}`);
      const known = leaves.length;
      const asked = Promise.all(accounts.map(askAs));
      await mesh.citadel.until(() => leaves.length > known, 'signing');
      await mesh.citadel.stop('SIGKILL');
      expect(await asked).toContain(false);
      await identity.startCitadel();
      expect(await askAs(`asker-${round}-after`)).toBe(true);
    }
    await Promise.all(mesh.envoys.map(untilRenewed));
    expect(Object.keys(await load.end())).toEqual(['200']);

    const audit = fs.readFileSync(path.join(identity.stateDir, 'audit.log'), 'utf8').trim().split('\n');
    const written = new Set(audit.map((line) => (JSON.parse(line) as { readonly serial?: string }).serial));
    expect(leaves.filter(({ serialNumber }) => !written.has(serialNumber.toLowerCase()))).toEqual([]);
  });
});
