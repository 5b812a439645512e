import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { DiscoveryRequestSchema } from '@seine/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { readBundlesSecret } from '@seine/sds';
import fs from 'node:fs';
import path from 'node:path';
import { AgentLab, chainOf, newRoot, type Root, type SdsClient, secretIn, trustDomain } from './agent.fixture.js';
import type { AgentService } from './agent.service.js';
import type { BundleListener } from './bundle-feed.js';
import { RecordDirectory } from './record-store.js';

let old: Root;
let next: Root;
let foreign: Root;
let lab: AgentLab;
let citadel: BundleListener;
let restarts: number;

beforeAll(async () => {
  [old, next, foreign] = [await newRoot(), await newRoot(), await newRoot('other.mesh')];
});
beforeEach(() => {
  lab = new AgentLab(old);
  restarts = 0;
});
afterEach(() => lab.end());

const at = (...parts: readonly string[]) => path.join(lab.folder, ...parts);
const records = () => new RecordDirectory(at('state'), (message) => void lab.log.push(message));

async function start(trustDomainAliases: readonly string[] = []): Promise<AgentService> {
  fs.writeFileSync(at('token'), 'default/a');
  const workload = { name: 'a', namespace: 'default', serviceAccount: 'a', socket: at('a/socket') };
  return await lab.start({
    workloads: [{ ...workload, tokenFile: at('token'), files: undefined }],
    records: records(),
    trustDomainAliases,
    bundleFeed: (listener) => {
      citadel = listener;
      listener.proof();
      const restart = (): void => {
        restarts++;
        listener.proof();
      };
      return { restart, stop: () => undefined };
    },
  });
}

const own = (...roots: readonly Root[]) => new Map([[trustDomain, roots.map(({ certificate }) => certificate)]]);

/** Acknowledges the last response, as Envoy does. */
function acknowledge(stream: SdsClient): void {
  const { nonce, versionInfo } = stream.responses.at(-1)!;
  stream.send(create(DiscoveryRequestSchema, { resourceNames: ['ROOTCA'], responseNonce: nonce, versionInfo }));
}

/** The roots that came last, by trust domain. */
function believed(stream: SdsClient) {
  return readBundlesSecret(stream.responses.at(-1)!.resources[0]!.value, trustDomain);
}

describe('the roots that an agent and its Envoys believe', () => {
  it('S-3: are with every Envoy before a leaf of a new root is used, and only then citadel hears so', async () => {
    const agent = await start();
    const streams = await Promise.all([lab.sotw(at('a/socket'), ['ROOTCA']), lab.sotw(at('a/socket'), ['ROOTCA'])]);
    const leaf = await lab.sotw(at('a/socket'), ['default']);
    for (const stream of streams) acknowledge(stream);
    const [first] = chainOf(secretIn(leaf.responses[0]));
    // Citadel changes its root, and signs by the new one from now on.
    lab.root = next;
    let delivered = 0;
    expect(citadel.onBundles(own(old, next), () => delivered++)).toBeUndefined();
    for (const stream of streams) await stream.until(() => stream.responses.length === 2);
    expect(streams.map(believed)).toEqual([{ bundles: own(old, next) }, { bundles: own(old, next) }]);
    acknowledge(streams[0]);
    await agent.put({
      ...{ name: 'b', namespace: 'default', serviceAccount: 'b', socket: at('b/socket') },
      ...{ tokenFile: undefined, files: [] },
    });
    agent.takeToken('b', 'default/b');
    await lab.until(() => lab.log.some((line) => line.includes('does not chain to a root')));
    // One has not answered yet.
    expect([delivered, agent.waiting()]).toEqual([0, ['b']]);
    acknowledge(streams[1]);
    await lab.until(() => agent.waiting().length === 0);
    expect(delivered).toBe(1);
    const [second] = chainOf(secretIn((await lab.sotw(at('b/socket'), ['default'])).responses[0]));
    expect(second!.verify(next.signer.certificate.publicKey)).toBe(true);
    // The one of before is as good as it was.
    expect(leaf.responses).toHaveLength(1);
    expect(first!.verify(old.signer.certificate.publicKey)).toBe(true);
  });

  it('asks for other certificates when a root is retired', async () => {
    await start();
    const leaf = await lab.sotw(at('a/socket'), ['default']);
    lab.root = next;
    citadel.onBundles(own(old, next), () => undefined);
    citadel.onBundles(own(next), () => undefined);
    await leaf.until(() => leaf.responses.length === 2);
    expect(chainOf(secretIn(leaf.responses[1]))[0]!.verify(next.signer.certificate.publicKey)).toBe(true);
  });

  it('keeps other trust domains apart, and drops them when citadel does', async () => {
    await start();
    const stream = await lab.sotw(at('a/socket'), ['ROOTCA']);
    acknowledge(stream);
    const both = new Map([...own(old), ['other.mesh', [foreign.certificate]]]);
    citadel.onBundles(both, () => undefined);
    await stream.until(() => stream.responses.length === 2);
    expect(believed(stream)).toEqual({ bundles: both });
    acknowledge(stream);
    citadel.onBundles(own(old), () => undefined);
    await stream.until(() => stream.responses.length === 3);
    expect(believed(stream)).toEqual({ bundles: own(old) });
  });

  it('are those of other names of the trust domain too, also through a rotation, whatever others say', async () => {
    await start(['old.example']);
    const stream = await lab.sotw(at('a/socket'), ['ROOTCA']);
    const alike = (...roots: readonly Root[]) => {
      const texts = roots.map(({ certificate }) => certificate);
      return new Map([trustDomain, 'old.example'].map((domain) => [domain, texts]));
    };
    expect(believed(stream)).toEqual({ bundles: alike(old) });
    acknowledge(stream);
    const foreigners = ['old.example', 'other.mesh'].map((domain): [string, string[]] => [
      domain,
      [foreign.certificate],
    ]);
    citadel.onBundles(new Map([...own(old, next), ...foreigners]), () => undefined);
    await stream.until(() => stream.responses.length === 2);
    const [, other] = foreigners;
    expect(believed(stream)).toEqual({ bundles: new Map([...alike(old, next), other!]) });
  });

  it('does not take bundles without its own trust domain', async () => {
    await start();
    const refusal = citadel.onBundles(new Map([['other.mesh', [foreign.certificate]]]), () => undefined);
    expect(refusal).toBe('the bundles have no roots of cluster.local');
    expect(believed(await lab.sotw(at('a/socket'), ['ROOTCA']))).toEqual({ bundles: own(old) });
  });

  it('goes on after a restart with what citadel said last, until the file of roots says something new', async () => {
    const agent = await start();
    lab.root = next;
    citadel.onBundles(own(old, next), () => undefined);
    citadel.onBundles(own(next), () => undefined);
    agent.stop();
    await start();
    const stream = await lab.sotw(at('a/socket'), ['ROOTCA']);
    expect(believed(stream)).toEqual({ bundles: own(next) });
    // With its first certificate it asks citadel anew, as one whom citadel knows.
    await lab.sotw(at('a/socket'), ['default']);
    const before = restarts;
    lab.trust(next, old);
    await stream.until(() => stream.responses.length === 2);
    expect([believed(stream), restarts - before]).toEqual([{ bundles: own(next, old) }, 1]);
  });

  it('takes no root away that citadel said because the file has others: only citadel does', async () => {
    await start();
    const stream = await lab.sotw(at('a/socket'), ['ROOTCA']);
    citadel.onBundles(own(old), () => undefined);
    const before = restarts;
    lab.trust(next);
    await stream.until(() => stream.responses.length === 2);
    expect([believed(stream), restarts - before]).toEqual([{ bundles: own(old, next) }, 1]);
    acknowledge(stream);
    citadel.onBundles(own(next), () => undefined);
    await stream.until(() => stream.responses.length === 3);
    expect(believed(stream)).toEqual({ bundles: own(next) });
  });

  it('reads the roots of another trust domain from a file', async () => {
    fs.writeFileSync(at('other.pem'), 'junk');
    fs.writeFileSync(at('token'), 'default/a');
    const workload = { name: 'a', namespace: 'default', serviceAccount: 'a', socket: at('a/socket'), files: undefined };
    await lab.start({
      workloads: [{ ...workload, tokenFile: at('token') }],
      federatedBundleFiles: new Map([['other.mesh', at('other.pem')]]),
    });
    const stream = await lab.sotw(at('a/socket'), ['ROOTCA']);
    expect(believed(stream)).toEqual({ bundles: own(old) });
    expect(lab.log.join('')).toMatch(/the roots of other.mesh in .*other.pem: holds no certificate/);
    fs.writeFileSync(at('other.pem'), foreign.certificate);
    await stream.until(() => stream.responses.length === 2);
    expect(believed(stream)).toEqual({ bundles: new Map([...own(old), ['other.mesh', [foreign.certificate]]]) });
  });
});
