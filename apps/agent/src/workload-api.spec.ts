import { createPrivateKey, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, type ClientReadableStream, credentials, loadPackageDefinition, Metadata } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  workloadApiLoaderOptions,
  workloadApiProto,
  type X509BundlesResponse,
  type X509SvidResponse,
} from '@seine/api';
import { AgentLab, newRoot, type Root } from './agent.fixture.js';

type Method = (request: object, metadata: Metadata) => ClientReadableStream<unknown>;
type ClientClass = new (address: string, channel: ReturnType<typeof credentials.createInsecure>) => Client;

const { SpiffeWorkloadAPI } = loadPackageDefinition(
  loadSync(fileURLToPath(workloadApiProto), workloadApiLoaderOptions),
) as unknown as { readonly SpiffeWorkloadAPI: ClientClass };

let root: Root;
let foreign: Root;
let lab: AgentLab;

beforeAll(async () => {
  [root, foreign] = [await newRoot(), await newRoot('other.mesh')];
});
beforeEach(async () => {
  lab = new AgentLab(root);
  fs.writeFileSync(at('token'), 'default/a');
  fs.writeFileSync(at('other.pem'), foreign.certificate);
  const workload = { name: 'a', namespace: 'default', serviceAccount: 'a', socket: at('a/socket') };
  await lab.start({
    workloads: [{ ...workload, tokenFile: at('token'), files: undefined }],
    federatedBundleFiles: new Map([['other.mesh', at('other.pem')]]),
  });
});
afterEach(() => lab.end());

const at = (...parts: readonly string[]) => path.join(lab.folder, ...parts);

/** The answers of each method. */
interface Answers {
  readonly fetchX509Svid: X509SvidResponse;
  readonly fetchX509Bundles: X509BundlesResponse;
}

/** What comes on a stream, and how it ended. */
function call<M extends keyof Answers>(method: M, header = true) {
  const client = new SpiffeWorkloadAPI(`unix:${at('a/socket')}`, credentials.createInsecure());
  const metadata = new Metadata();
  if (header) metadata.set('workload.spiffe.io', 'true');
  const came: { readonly responses: Answers[M][]; error?: Error } = { responses: [] };
  const stream = (client as unknown as Record<string, Method>)[method]!.call(client, {}, metadata);
  stream.on('data', (response: Answers[M]) => came.responses.push(response));
  stream.on('error', (error: Error) => (came.error = error));
  lab.onEnd(() => client.close());
  return came;
}

describe('SPIFFE’s Workload API', () => {
  it('gives the X.509-SVID, its key, the own bundle and those of other trust domains', async () => {
    const came = call('fetchX509Svid');
    await lab.until(() => came.responses.length > 0);
    const { svids, federatedBundles } = came.responses[0]!;
    const [{ spiffeId, x509Svid, x509SvidKey, bundle }] = svids as [(typeof svids)[0]];
    const leaf = new X509Certificate(x509Svid);
    expect([spiffeId, leaf.subjectAltName]).toEqual([
      'spiffe://cluster.local/ns/default/sa/a',
      'URI:spiffe://cluster.local/ns/default/sa/a',
    ]);
    expect(leaf.checkPrivateKey(createPrivateKey({ key: x509SvidKey, format: 'der', type: 'pkcs8' }))).toBe(true);
    expect(leaf.verify(new X509Certificate(bundle).publicKey)).toBe(true);
    expect(Object.keys(federatedBundles)).toEqual(['spiffe://other.mesh']);
    expect(new X509Certificate(federatedBundles['spiffe://other.mesh']!).toString()).toBe(foreign.certificate);
  });

  it('gives the bundles, and pushes both when the roots change', async () => {
    const [svids, bundles] = [call('fetchX509Svid'), call('fetchX509Bundles')];
    await lab.until(() => svids.responses.length > 0 && bundles.responses.length > 0);
    const domains = ['spiffe://cluster.local', 'spiffe://other.mesh'];
    expect(Object.keys(bundles.responses[0]!.bundles).sort()).toEqual(domains);
    const before = bundles.responses.length;
    const more = await newRoot();
    lab.trust(root, more);
    await lab.until(() => bundles.responses.length > before && svids.responses.length > 1);
    const roots = [root, more].map(({ certificate }) => new X509Certificate(certificate).raw);
    expect(bundles.responses.at(-1)!.bundles['spiffe://cluster.local']).toEqual(Buffer.concat(roots));
    expect(svids.responses.at(-1)!.svids[0]!.bundle).toEqual(Buffer.concat(roots));
  });

  it('answers nobody who does not send the security header', async () => {
    const came = call('fetchX509Svid', false);
    await lab.until(() => came.error !== undefined);
    expect([came.responses, came.error?.message]).toEqual([[], expect.stringMatching(/^3 .*workload.spiffe.io: true/)]);
  });
});
