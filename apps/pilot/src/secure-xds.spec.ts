import { createPublicKey } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChannelCredentials, credentials, status } from '@grpc/grpc-js';
import { issueCertificate, makeRoot, makeWorkloadKey, readSigner, requestForKey, type SigningFiles } from '@seine/ca';
import type { Authenticator, TlsMaterial } from '@seine/identity';
import { objectKey } from '@seine/k8s';
import { MemoryStore } from '@seine/store-memory';
import { AdsClient, type AdsClientOptions, aNode } from '@seine/testing';
import { PilotService } from './pilot.service.js';

const hour = 3_600_000;
const nodeOf = (id: string, metadata = {}) => ({ ...aNode(), id, metadata });
const clusterType = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
const reviews = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'reviews', namespace: 'default' },
  spec: { clusterIP: '10.96.0.1', selector: { app: 'reviews' }, ports: [{ name: 'http', port: 9080 }] },
};

interface Svid {
  readonly trustDomain?: string;
  readonly namespace?: string;
  readonly serviceAccount?: string;
  /** Milliseconds since 1970. */
  readonly now?: number;
}

async function issue(files: SigningFiles, svid: Svid = {}): Promise<TlsMaterial> {
  const { trustDomain = 'cluster.local', namespace = 'default', serviceAccount = 'client', now = Date.now() } = svid;
  const key = await makeWorkloadKey('ecdsa-p256');
  const request = requestForKey(createPublicKey(key));
  const identity = { trustDomain, namespace, serviceAccount };
  const { chain } = issueCertificate(readSigner(files, Date.now()), { identity, request, lifetimeMs: hour, now });
  return { chain: chain.join(''), key: key.export({ format: 'pem', type: 'pkcs8' }).toString(), roots: files.roots };
}

const root = (trustDomain = 'cluster.local'): Promise<SigningFiles> =>
  makeRoot({ trustDomain, now: Date.now(), lifetimeMs: 24 * hour });

/** Who the client is does not hang on how the server is called. */
const anyName = { checkServerIdentity: () => undefined };

function tlsOf(roots: string, own?: TlsMaterial): ChannelCredentials {
  const [key, chain] = own ? [Buffer.from(own.key), Buffer.from(own.chain)] : [null, null];
  return credentials.createSsl(Buffer.from(roots), key, chain, anyName);
}

describe('ADS over mutual TLS', () => {
  let files: SigningFiles;
  let material: TlsMaterial;
  let pilot: PilotService;
  let refusals: string[];
  const clients: AdsClient[] = [];
  const deniedIds = new Set<string>();
  const listeners = { identity: new Set<() => void>(), denied: new Set<() => void>() };
  const follow = (set: Set<() => void>) => (listener: () => void) => {
    set.add(listener);
    return () => void set.delete(listener);
  };
  const tokens: Authenticator = ({ bearer }) =>
    Promise.resolve(
      bearer === 'good'
        ? { identity: { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'client' }, by: 'oidc' }
        : { error: 'the token has expired' },
    );

  beforeEach(async () => {
    files = await root();
    material = await issue(files, { namespace: 'istio-system', serviceAccount: 'pilot' });
    refusals = [];
    deniedIds.clear();
    const store = new MemoryStore();
    pilot = new PilotService({
      store,
      secureXds: {
        listen: '127.0.0.1:0',
        identity: {
          trustDomain: 'cluster.local',
          get material() {
            return material;
          },
          get bundles() {
            return new Map([['cluster.local', [material.roots]]]);
          },
          onChange: follow(listeners.identity),
        },
        authenticators: [tokens],
        denied: { isDenied: (id) => deniedIds.has(id), onChange: follow(listeners.denied) },
      },
      drainMs: 0,
      events: { refused: (_peer, code, reason) => refusals.push(`${code}: ${reason}`) },
      onError: (error) => refusals.push(String(error)),
    });
    await pilot.listen();
    await store.write([{ key: objectKey(reviews), object: reviews }]);
    await store.markSynced();
    await pilot.follow();
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await pilot.stop();
    expect(listeners.identity.size + listeners.denied.size).toBe(0);
  });

  const clientOf = (options: AdsClientOptions): AdsClient => {
    const client = new AdsClient(`127.0.0.1:${pilot.secureXdsPort}`, options);
    clients.push(client);
    return client;
  };
  const open = (options: AdsClientOptions, node = aNode()) =>
    clientOf(options).open('delta', node).request({ typeUrl: clusterType });
  const namesOf = async (options: AdsClientOptions, node = aNode()): Promise<readonly string[]> =>
    (await open(options, node).next()).resources.map(({ name }) => name);

  it('serves who proves an identity and claims no other', async () => {
    const own = await issue(files);
    const names = await namesOf({ credentials: tlsOf(files.roots, own) });
    expect(names).toContain('outbound|9080||reviews.default.svc.cluster.local');
    expect(pilot.xdsPort).toBe(0);
  });

  it('takes the namespace and the account from the identity, not from what the node leaves out', async () => {
    const own = await issue(files, { namespace: 'shop', serviceAccount: 'cart' });
    const silent = nodeOf('sidecar~10.0.0.1~cart-1~any.svc.cluster.local');
    await namesOf({ credentials: tlsOf(files.roots, own) }, silent);
    expect(pilot.sync().proxies).toMatchObject([{ namespace: 'shop' }]);
  });

  it.each([
    ['its id', nodeOf('sidecar~10.0.0.1~client-1.other~default.svc.cluster.local'), '"other" in its id'],
    ['NAMESPACE', aNode('client-1', { NAMESPACE: 'other' }), '"other" in metadata NAMESPACE'],
    ['SERVICE_ACCOUNT', aNode('client-1', { SERVICE_ACCOUNT: 'admin' }), '"admin" in metadata SERVICE_ACCOUNT'],
  ])('X-33: refuses a node that is somebody else by %s, before any resource', async (_what, node, message) => {
    const stream = open({ credentials: tlsOf(files.roots, await issue(files)) }, node);
    const ended = await stream.ended;
    expect(ended).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(ended.details).toContain(message);
    expect(stream.inbox).toHaveLength(0);
    expect(refusals).toEqual([expect.stringContaining(`${status.PERMISSION_DENIED}: `)]);
  });

  describe('X-34: tells a client apart by', () => {
    const unproved = { code: status.UNAUTHENTICATED, details: 'the client’s identity is not proved' };
    const refused = async (options: AdsClientOptions, reason: string) => {
      const stream = open(options);
      expect(await stream.ended).toMatchObject(unproved);
      expect(stream.inbox).toHaveLength(0);
      expect(refusals).toEqual([expect.stringContaining(reason)]);
    };

    it('no certificate', async () => {
      await refused({ credentials: tlsOf(files.roots) }, 'no certificate was shown');
    });

    it('a root of another mesh', async () => {
      const other = await root();
      await refused({ credentials: tlsOf(files.roots, await issue(other)) }, 'does not chain to a root');
    });

    it('a self-signed certificate', async () => {
      const self = await root();
      const own = { chain: self.certificate, key: self.key, roots: '' };
      await refused({ credentials: tlsOf(files.roots, own) }, 'is a trust domain, no workload');
    });

    it('another trust domain', async () => {
      const own = await issue(await root('other'), { trustDomain: 'other' });
      await refused({ credentials: tlsOf(files.roots, own) }, 'the trust domain other is not believed');
    });

    it('an expired certificate', async () => {
      const own = await issue(files, { now: Date.now() - 2 * hour });
      await refused({ credentials: tlsOf(files.roots, own) }, 'is not in force');
    });

    it('an expired certificate, however good the token beside it', async () => {
      const own = await issue(files, { now: Date.now() - 2 * hour });
      await refused({ credentials: tlsOf(files.roots, own), authorization: 'Bearer good' }, 'is not in force');
    });

    it('a token that is not believed', async () => {
      await refused({ credentials: tlsOf(files.roots), authorization: 'Bearer bad' }, 'the token has expired');
    });

    it('a revoked identity', async () => {
      deniedIds.add('spiffe://cluster.local/ns/default/sa/client');
      await refused({ credentials: tlsOf(files.roots, await issue(files)) }, 'sa/client is revoked');
    });

    it('plain text', async () => {
      expect(await open({}).ended).toMatchObject({ code: status.UNAVAILABLE });
    });
  });

  it('believes a good token where no certificate is shown, and holds the node to it', async () => {
    const options = { credentials: tlsOf(files.roots), authorization: 'Bearer good' };
    expect(await namesOf(options)).not.toHaveLength(0);
    const stream = open(options, aNode('client-1', { NAMESPACE: 'other' }));
    expect(await stream.ended).toMatchObject({ code: status.PERMISSION_DENIED });
  });

  it('ends the streams of an identity that is revoked, and no others', async () => {
    const revoked = open({ credentials: tlsOf(files.roots, await issue(files)) });
    const other = open(
      { credentials: tlsOf(files.roots, await issue(files, { serviceAccount: 'other' })) },
      aNode('other-1'),
    );
    await revoked.next();
    await other.next();
    deniedIds.add('spiffe://cluster.local/ns/default/sa/client');
    for (const listener of [...listeners.denied]) listener();
    expect(await revoked.ended).toMatchObject({ code: status.UNAUTHENTICATED });
    expect(pilot.sync().proxies).toMatchObject([{ name: 'other-1' }]);
  });

  it('shows a new certificate at the next handshake, and keeps the streams that are open', async () => {
    const own = await issue(files);
    const before = open({ credentials: tlsOf(files.roots, own) });
    await before.next();
    const next = await root();
    material = await issue(next, { namespace: 'istio-system', serviceAccount: 'pilot' });
    for (const listener of [...listeners.identity]) listener();
    // What the old root has signed is not believed any more; the new root's is.
    expect(await open({ credentials: tlsOf(next.roots, own) }).ended).toMatchObject({ code: status.UNAUTHENTICATED });
    const renewed = { credentials: tlsOf(next.roots, await issue(next)) };
    expect(await namesOf(renewed)).not.toHaveLength(0);
    expect(pilot.streams).toBe(2);
  });
});
