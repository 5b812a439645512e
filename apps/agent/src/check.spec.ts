import fs from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { issueCertificate, makeRoot, readSigner, requestForKey } from '@seine/ca';
import { generateKeyPairSync } from 'node:crypto';
import { AgentLab, newRoot, type Root, trustDomain } from './agent.fixture.js';
import { check } from './check.js';
import { parseArguments } from './config.js';

let root: Root;
let lab: AgentLab;

beforeAll(async () => {
  root = await newRoot();
});
beforeEach(() => {
  lab = new AgentLab(root);
});
afterEach(() => lab.end());

const at = (...parts: readonly string[]) => path.join(lab.folder, ...parts);

/** A citadel whose clock is so many milliseconds ahead. @returns its address */
async function citadel(aheadMs: number): Promise<string> {
  const now = Date.now() + aheadMs;
  const made = await makeRoot({ trustDomain, now, lifetimeMs: 1e9 });
  fs.writeFileSync(lab.rootFile, made.certificate);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const identity = { trustDomain, namespace: 'istio-system', serviceAccount: 'citadel' };
  const request = requestForKey(publicKey);
  const { chain } = issueCertificate(readSigner(made, now), { identity, request, lifetimeMs: 60_000, now });
  const key = privateKey.export({ format: 'pem', type: 'pkcs8' });
  const server = tls.createServer({ key, cert: chain.join(''), ALPNProtocols: ['h2'] }).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => undefined);
  lab.onEnd(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What is wrong, by what was looked at. */
async function wrongs(address: string, ...more: readonly string[]): Promise<readonly string[]> {
  const workload = `a=default/a,token-file=${at('token')},socket=${at('run/socket')}`;
  const flags = ['--citadel', address, '--root-cert', lab.rootFile, '--workload', workload, ...more];
  const findings = await check(parseArguments(flags));
  return findings.flatMap(({ what, wrong }) => (wrong === undefined ? [] : [`${what}: ${wrong}`]));
}

describe('check', () => {
  beforeEach(() => {
    fs.writeFileSync(at('token'), 'token');
  });

  it('finds nothing where all is in order', async () => {
    expect(await wrongs(await citadel(0))).toEqual([]);
  });

  it.each([
    ['behind', 3_600_000, /citadel at .* not yet valid.*this machine’s clock says .*is it right\?/],
    ['ahead', -3_600_000, /citadel at .* expired.*this machine’s clock says .*is it right\?/],
  ])('says where this machine’s clock is an hour %s', async (_where, aheadMs, reason) => {
    expect(await wrongs(await citadel(aheadMs))).toEqual([expect.stringMatching(reason)]);
  });

  it('tells of the newline, of open folders, of roots and of a citadel that is away', async () => {
    const address = await citadel(0);
    fs.writeFileSync(at('token'), 'token\n');
    fs.mkdirSync(at('run'), { mode: 0o755 });
    expect(await wrongs(address, '--federated-bundle', `other=${at('none')}`)).toEqual([
      expect.stringMatching(/the roots of other.*is not there/),
      expect.stringMatching(/token: has white space .*newline at its end\?.*status 13/),
      expect.stringMatching(/run: has mode 755: others can reach the socket; 700 is right/),
    ]);
    expect((await wrongs('127.0.0.1:1')).at(-1)).toMatch(/citadel at 127.0.0.1:1: .*ECONNREFUSED/);
    fs.writeFileSync(lab.rootFile, 'junk');
    expect(await wrongs(address)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/file of roots .*holds no certificate/),
        expect.stringMatching(/citadel at .*cannot be known without roots/),
      ]),
    );
  });

  it('does not know a citadel of other roots', async () => {
    const address = await citadel(0);
    lab.trust(root);
    expect(await wrongs(address)).toEqual([expect.stringMatching(/citadel at .*(verify|self-signed|issuer)/)]);
  });
});
