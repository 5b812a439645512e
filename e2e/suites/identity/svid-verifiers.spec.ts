import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { makeCertificateRequest, makeWorkloadKey, type WorkloadKeyType } from '@seine/ca';
import { citadelClient } from '@seine/identity';
import { freePort, ServiceAccountIssuer, repositoryRoot, TestProcess } from '../../src/index.js';
import { askPySpiffe } from '../../src/py-spiffe.js';

jest.setTimeout(300_000);

const host = '127.0.0.1';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-svid-'));
const spiffeId = 'spiffe://cluster.local/ns/default/sa/reviews';
let issuer: ServiceAccountIssuer;
const running: TestProcess[] = [];

beforeAll(async () => {
  issuer = await ServiceAccountIssuer.listen();
  plugIn(path.join(folder, 'cacerts'));
});
afterAll(async () => {
  await Promise.all(running.map((process) => process.stop('SIGKILL')));
  await issuer.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** Istio's files by OpenSSL: a root with an RSA key, an intermediate, and what signs below that. */
function plugIn(to: string): void {
  fs.mkdirSync(to);
  const file = (name: string) => path.join(to, name);
  const authority = [
    '-addext',
    'basicConstraints=critical,CA:TRUE',
    '-addext',
    'keyUsage=critical,keyCertSign,cRLSign',
  ];
  const make = (name: string, key: readonly string[], by?: string) => {
    const signer = by === undefined ? [] : ['-CA', file(`${by}.pem`), '-CAkey', file(`${by}.key`)];
    const output = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)];
    const request = ['req', '-x509', '-nodes', '-days', '2', '-newkey', ...key, '-subj', `/O=${name}`];
    execFileSync('openssl', [...request, ...authority, ...signer, ...output], { stdio: 'pipe' });
  };
  const p256 = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  make('root', ['rsa:2048']);
  make('middle', p256, 'root');
  make('ca', p256, 'middle');
  const text = (name: string) => fs.readFileSync(file(name), 'utf8');
  fs.writeFileSync(file('ca-cert.pem'), text('ca.pem'));
  fs.writeFileSync(file('ca-key.pem'), text('ca.key'));
  fs.writeFileSync(file('cert-chain.pem'), text('ca.pem') + text('middle.pem'));
  fs.writeFileSync(file('root-cert.pem'), text('root.pem'));
}

interface Citadel {
  readonly address: string;
  /** PEM, as it is published. */
  readonly roots: string;
}

async function citadel(name: string, flags: readonly string[]): Promise<Citadel> {
  const [port, admin] = [await freePort(), await freePort()];
  const main = path.join(repositoryRoot, 'apps/citadel/dist/main.js');
  const places = ['--state', path.join(folder, name), '--listen', `${host}:${port}`, '--admin', `${host}:${admin}`];
  const oidc = ['--oidc-issuer', issuer.issuer, '--oidc-jwks', issuer.keysUrl];
  const started = new TestProcess(name, process.execPath, [main, ...places, ...oidc, ...flags]);
  running.push(started);
  await started.until(() => /^ready$/m.test(started.output), 'ready', 120_000);
  const roots = await (await fetch(`http://${host}:${admin}/root-cert.pem`)).text();
  return { address: `${host}:${port}`, roots };
}

async function svid({ address, roots }: Citadel, type: WorkloadKeyType) {
  const bundles = new Map([['cluster.local', [roots]]]);
  const now = () => Date.now();
  const ask = citadelClient({ address, trustDomain: 'cluster.local', bundles: () => bundles, lifetime: 0, now });
  const key = await makeWorkloadKey(type);
  const chain = await ask(makeCertificateRequest(key), { by: 'token', token: issuer.token('default', 'reviews') });
  return { chain, key: key.export({ format: 'pem', type: 'pkcs8' }).toString() };
}

/** What `openssl verify` says of a chain, by the published roots alone. */
function openssl(chain: readonly string[], roots: string): string {
  const file = (name: string, text: string) => {
    fs.writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  const [leaf = '', ...between] = chain;
  const trusted = [
    '-x509_strict',
    '-CAfile',
    file('roots.pem', roots),
    '-untrusted',
    file('between.pem', between.join('')),
  ];
  const said = ['sslserver', 'sslclient'].map((purpose) =>
    execFileSync('openssl', ['verify', '-purpose', purpose, ...trusted, file('leaf.pem', leaf)])
      .toString()
      .trim(),
  );
  return said.join().replaceAll(`${folder}/`, '');
}

describe.each([
  ['a root of its own', [] as string[], 2],
  ['a plugged-in intermediate', ['--cacerts', path.join(folder, 'cacerts')], 4],
])('citadel with %s', (name, flags, length) => {
  let started: Citadel;
  beforeAll(async () => {
    started = await citadel(name.replaceAll(' ', '-'), flags);
  });

  it.each<WorkloadKeyType>(['ecdsa-p256', 'rsa-2048'])(
    'C-1 C-16 gives SVIDs of %s keys that OpenSSL and the Python package spiffe accept',
    async (type) => {
      const { chain, key } = await svid(started, type);
      expect(chain).toHaveLength(length);
      expect(openssl(chain, started.roots)).toBe('leaf.pem: OK,leaf.pem: OK');
      const bundle = { bundle: started.roots, trustDomain: 'cluster.local' };
      // Of a self-signed root the library thinks as of any other authority: it belongs to the bundle.
      expect(await askPySpiffe([{ chain: chain.slice(0, -1).join(''), key }, bundle])).toEqual([
        { spiffeId, certificates: length - 1 },
        { authorities: 1 },
      ]);
    },
  );

  it('C-3 the Python package spiffe refuses what is no SVID, so its word counts', async () => {
    const { chain, key } = await svid(started, 'ecdsa-p256');
    const answers = await askPySpiffe([
      { chain: chain.at(-1)!, key },
      { bundle: 'junk', trustDomain: 'cluster.local' },
    ]);
    expect(answers).toEqual([{ error: expect.any(String) }, { error: expect.any(String) }]);
  });
});
