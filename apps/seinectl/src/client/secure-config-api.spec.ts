import { createPublicKey } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { issueCertificate, makeRoot, makeWorkloadKey, readSigner, requestForKey, type SigningFiles } from '@seine/ca';
import { RotatingServerCredentials, serviceAccount, serviceId } from '@seine/identity';
import { configApiTarget } from '../runtime/addresses.js';
import { FakeConfigApi } from '../testing/fake-config-api.js';
import { FakeIo } from '../testing/fake-io.js';
import { FakeState } from '../testing/fake-state.js';
import { connectConfigApi } from './grpc-calls.js';

const domain = 'cluster.local';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seinectl-tls-'));
const file = (name: string): string => path.join(folder, name);

async function issue(files: SigningFiles, service: string) {
  const key = await makeWorkloadKey('ecdsa-p256');
  const request = requestForKey(createPublicKey(key));
  const about = { identity: serviceAccount(service, domain), request, lifetimeMs: 3_600_000, now: Date.now() };
  const { chain } = issueCertificate(readSigner(files, Date.now()), about);
  return { chain: chain.join(''), key: key.export({ format: 'pem', type: 'pkcs8' }).toString(), roots: files.roots };
}

describe('seinectl and a config API over mutual TLS', () => {
  const callers: (boolean | undefined)[] = [];
  const api = new FakeConfigApi({ ListDiagnostics: () => ({ diagnostics: [] }) });
  let url: string;
  let state: FakeState;

  beforeAll(async () => {
    const root = await makeRoot({ trustDomain: domain, now: Date.now(), lifetimeMs: 86_400_000 });
    const server = new RotatingServerCredentials(await issue(root, 'registry'), (_path, leaf) => {
      callers.push(leaf !== undefined);
      return leaf ? undefined : { code: status.UNAUTHENTICATED, details: 'nobody' };
    });
    url = `https://${await api.start(server)}`;
    const own = await issue(root, 'seinectl');
    // One file, so that a certificate is never read with the key of another.
    fs.writeFileSync(file('seinectl.pem'), own.key + own.chain);
    fs.writeFileSync(file('roots.pem'), root.roots);
    const other = await makeRoot({ trustDomain: domain, now: Date.now(), lifetimeMs: 86_400_000 });
    fs.writeFileSync(file('other-roots.pem'), other.roots);
    state = await FakeState.create();
  });
  afterAll(async () => {
    api.stop();
    await state.remove();
    fs.rmSync(folder, { recursive: true });
  });

  const files = { certificate: file('seinectl.pem'), key: file('seinectl.pem'), roots: file('roots.pem') };
  const run = async (server: string, roots = files.roots): Promise<FakeIo> => {
    await state.write({ urls: { configApi: url }, client: { ...files, roots, servers: { configApi: server } } });
    return new FakeIo();
  };
  const diagnostics = async (io: FakeIo) => {
    const client = connectConfigApi(await configApiTarget({ state: state.dir }, io));
    try {
      return await client.diagnostics();
    } finally {
      client.close();
    }
  };

  it('shows who calls by the run file of the mesh', async () => {
    expect(await diagnostics(await run(serviceId('registry', domain)))).toEqual([]);
    expect(callers).toEqual([true]);
  });

  it('shows who calls by the environment where the address is given', async () => {
    const io = new FakeIo();
    io.env['SEINE_CONFIG_API'] = url;
    Object.assign(io.env, {
      SEINE_CLIENT_CERT: files.certificate,
      SEINE_CLIENT_KEY: files.key,
      SEINE_ROOT_CERT: files.roots,
    });
    expect(await diagnostics(io)).toEqual([]);
  });

  it('says what is missing where it has nothing to show', async () => {
    const io = await run(serviceId('registry', domain));
    io.env['SEINE_CONFIG_API'] = 'https://127.0.0.1:1';
    await expect(diagnostics(io)).rejects.toThrow('wants to know who calls: give SEINE_CLIENT_CERT');
  });

  it('tells nothing to a server of another identity, or of another root', async () => {
    callers.length = 0;
    await expect(diagnostics(await run(serviceId('mixer', domain)))).rejects.toThrow(
      `the server is URI:${serviceId('registry', domain)} where ${serviceId('mixer', domain)} was expected`,
    );
    const io = await run(serviceId('registry', domain), file('other-roots.pem'));
    await expect(diagnostics(io)).rejects.toThrow(`does not answer at ${url}: `);
    expect(callers).toEqual([]);
  });

  it('names a file that is not there', async () => {
    const io = await run(serviceId('registry', domain), file('nowhere.pem'));
    await expect(diagnostics(io)).rejects.toThrow(file('nowhere.pem'));
  });
});
