import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formatBundle, issueCertificate, makeRoot, readSigner, requestForKey, type Signer } from '@seine/ca';
import { BundleEndpoint, bundleReader } from './bundle-endpoint.js';
import { type FederatedDomain, Federation } from './federation.js';

const now = () => Date.now();
const citadelId = 'spiffe://other/ns/istio-system/sa/citadel';
let folder: string;
let problems: string[];
let other: Signer;
let endpoint: BundleEndpoint | undefined;
beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-federation-'));
  problems = [];
  other = await signer();
});
afterEach(() => {
  endpoint?.close();
  endpoint = undefined;
  fs.rmSync(folder, { recursive: true, force: true });
});

async function signer(): Promise<Signer> {
  return readSigner(await makeRoot({ trustDomain: 'other', now: now(), lifetimeMs: 1e9 }), now());
}

/** What an endpoint of the other mesh shows. */
function certificateOf(by: Signer, serviceAccount: string, dnsNames: readonly string[] = []) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const identity = { trustDomain: 'other', namespace: 'istio-system', serviceAccount };
  const issued = issueCertificate(by, {
    identity,
    request: requestForKey(publicKey),
    lifetimeMs: 1e6,
    now: now(),
    dnsNames,
  });
  return { chain: issued.chain.join(''), key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() };
}

async function serve(
  certificate: { chain: string; key: string },
  bundle = () => formatBundle(other.path, 3, 60),
): Promise<URL> {
  endpoint = await BundleEndpoint.listen({ host: '127.0.0.1', port: 0 }, certificate, bundle);
  return new URL(`https://localhost:${endpoint.port}/bundle`);
}

function federation(url: URL, profile: FederatedDomain['profile'], webRoots?: string) {
  const waits: number[] = [];
  const made = new Federation({
    domains: [{ trustDomain: 'other', url, profile }],
    stateDir: folder,
    read: bundleReader(() => webRoots, now),
    onProblem: (problem) => problems.push(problem),
    onChange: () => undefined,
    later: (_run, ms) => {
      waits.push(ms);
      looked();
      return () => undefined;
    },
  });
  let looked: () => void;
  const look = async () => {
    const done = new Promise<void>((resolve) => (looked = resolve));
    made.start();
    await done;
  };
  return { made, look, waits };
}

/** The bundle by which https_spiffe begins, as an operator puts it there. */
function begin(by = other, sequence = 1): void {
  fs.mkdirSync(path.join(folder, 'federation'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'federation/other.json'), JSON.stringify(formatBundle(by.path, sequence, 60)));
}
const spiffe = { kind: 'https_spiffe', spiffeId: citadelId } as const;

describe('the bundle of another mesh', () => {
  it('C-19 is fetched from its endpoint, known by its SPIFFE ID, and looked at as often as it asks', async () => {
    begin();
    const { made, look, waits } = federation(await serve(certificateOf(other, 'citadel')), spiffe);
    let changes = 0;
    made.watch(() => changes++);
    await look();
    await look();
    expect(problems).toEqual([]);
    expect([...made.bundles()]).toEqual([['other', other.path]]);
    expect([changes, waits]).toEqual([1, [60_000, 60_000]]);
  });

  it.each<[string, () => Promise<{ chain: string; key: string }>, RegExp]>([
    ['another identity', () => Promise.resolve(certificateOf(other, 'reviews')), /its certificate is of .*sa\/reviews/],
    ['another root', async () => certificateOf(await signer(), 'citadel'), /self-signed|unable to verify|signature/],
  ])('is not taken from an endpoint of %s', async (_what, certificate, reason) => {
    begin();
    const { look, waits } = federation(await serve(await certificate()), spiffe);
    await look();
    expect(problems).toEqual([expect.stringMatching(reason)]);
    expect(waits).toEqual([10_000]);
  });

  it('is not fetched by SPIFFE ID before a root of it is known', async () => {
    const { made, look } = federation(await serve(certificateOf(other, 'citadel')), spiffe);
    await look();
    expect(problems).toEqual([expect.stringMatching(/no root of it is known to begin with/)]);
    expect(made.bundles().size).toBe(0);
  });

  it('is fetched from a web server, by the roots of web servers and its name', async () => {
    const web = await signer();
    const url = await serve(certificateOf(web, 'web', ['localhost']));
    const { made, look } = federation(url, { kind: 'https_web' }, web.path[0]);
    await look();
    expect([...made.bundles().keys()]).toEqual(['other']);
    const address = federation(new URL(url.href.replace('localhost', '127.0.0.1')), { kind: 'https_web' }, web.path[0]);
    await address.look();
    expect(problems).toEqual([expect.stringMatching(/IP: 127.0.0.1 is not in the cert/)]);
  });

  it('does not go back, nor away, and outlives a restart', async () => {
    begin(other, 7);
    let bundle = formatBundle(other.path, 3, 60);
    const url = await serve(certificateOf(other, 'citadel'), () => bundle);
    const { made, look } = federation(url, spiffe);
    await look();
    expect(problems.splice(0)).toEqual([expect.stringMatching(/goes back from 7 to 3/)]);
    const next = await signer();
    bundle = formatBundle([...other.path, ...next.path], 8, 60);
    await look();
    expect(made.bundles().get('other')).toHaveLength(2);
    bundle = { ...bundle, keys: [] };
    await look();
    expect(problems).toEqual([expect.stringMatching(/has no X.509 roots/)]);
    expect(federation(url, spiffe).made.bundles()).toEqual(made.bundles());
  });
});
