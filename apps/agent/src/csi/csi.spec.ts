import fs from 'node:fs';
import path from 'node:path';
import { type Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AgentLab, chainOf, newRoot, podToken, type Root, secretIn } from '../agent.fixture.js';
import type { AgentService } from '../agent.service.js';
import { RecordDirectory } from '../record-store.js';
import { CsiServer, csiDefinitions } from './csi-server.js';
import { directoryMounter } from './mounter.js';
import { Volumes } from './volumes.js';

type Method = (request: object, callback: (error: ServiceError | null, response: object) => void) => void;
type ClientClass = new (address: string, channel: ReturnType<typeof credentials.createInsecure>) => Client;

let root: Root;
let lab: AgentLab;
let agent: AgentService;
let server: CsiServer;

beforeAll(async () => {
  root = await newRoot();
});
beforeEach(async () => {
  lab = new AgentLab(root);
  await start();
});
afterEach(() => lab.end());

const at = (...parts: readonly string[]) => path.join(lab.folder, ...parts);

/** An agent as CSI driver on the same state as the one before. */
async function start(): Promise<void> {
  const records = new RecordDirectory(at('state'), (message) => void lab.log.push(message));
  agent = await lab.start({ records });
  const volumes = new Volumes({
    agent,
    records,
    folder: at('state/sockets'),
    mounter: directoryMounter,
    audience: 'istio-ca',
    group: process.getgid?.() ?? 0,
    logger: lab.logger,
  });
  await volumes.restore();
  server = await CsiServer.listen({
    socket: at('csi.sock'),
    driver: 'agent.seine.dev',
    nodeId: 'node-1',
    registrationDir: at('registry'),
    endpoint: '/on/the/host/csi.sock',
    version: '1',
    volumes,
    onRegistered: (message) => void lab.log.push(message),
    onWarning: (message) => void lab.log.push(message),
  });
  lab.onEnd(() => server.close());
}

function stop(): void {
  server.close();
  agent.stop();
}

/** Calls as kubelet does. */
async function call(service: 'Identity' | 'Node' | 'Registration', method: string, request: object = {}) {
  const { csi, pluginregistration } = csiDefinitions();
  const classes = { ...csi.v1, ...pluginregistration } as unknown as Record<string, ClientClass>;
  const socket = service === 'Registration' ? at('registry/agent.seine.dev-reg.sock') : at('csi.sock');
  const client = new classes[service]!(`unix:${socket}`, credentials.createInsecure());
  try {
    const run = (client as unknown as Record<string, Method>)[method]!.bind(client);
    return await new Promise<object>((resolve, reject) => {
      run(request, (error, response) => (error ? reject(error) : resolve(response)));
    });
  } finally {
    client.close();
  }
}

interface Asked {
  readonly name?: string;
  readonly uid?: string;
  readonly account?: string;
  readonly token?: string;
  readonly context?: Record<string, string>;
  readonly change?: object;
}

const targetOf = (uid: string) => at(`pods/${uid}/volumes/kubernetes.io~csi/workload-socket/mount`);

/** What kubelet asks for a pod. */
function publishRequest({ name = 'reviews-1', uid = 'uid-1', account = 'reviews', token, context, change }: Asked) {
  const tokens = {
    'istio-ca': { token: token ?? podToken(account, uid), expirationTimestamp: '2030-01-01T00:00:00Z' },
  };
  return {
    volumeId: `csi-${uid}`,
    targetPath: targetOf(uid),
    volumeCapability: { mount: {}, accessMode: { mode: 'SINGLE_NODE_WRITER' } },
    readonly: true,
    volumeContext: {
      'csi.storage.k8s.io/pod.name': name,
      'csi.storage.k8s.io/pod.namespace': 'default',
      'csi.storage.k8s.io/pod.uid': uid,
      'csi.storage.k8s.io/serviceAccount.name': account,
      'csi.storage.k8s.io/serviceAccount.tokens': JSON.stringify(tokens),
      'csi.storage.k8s.io/ephemeral': 'true',
      ...context,
    },
    ...change,
  };
}

const publish = (asked: Asked = {}) => call('Node', 'nodePublishVolume', publishRequest(asked));
const unpublish = (uid = 'uid-1') =>
  call('Node', 'nodeUnpublishVolume', { volumeId: `csi-${uid}`, targetPath: targetOf(uid) });

/** Who one is on the socket of a pod, by its certificate. */
async function identityAt(uid: string, token?: string): Promise<string | undefined> {
  const folder = targetOf(uid);
  // As in the pod, where the path is short.
  const link = at(`pod-${uid}`);
  if (!fs.existsSync(link)) fs.symlinkSync(folder, link);
  const stream = await lab.sotw(path.join(link, 'socket'), ['default'], token);
  if (stream.error) throw stream.error;
  return chainOf(secretIn(stream.responses[0]))[0]!.subjectAltName;
}

const files = (folder: string): readonly string[] =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));

describe('the agent as a CSI driver', () => {
  it('says who it is, and registers at kubelet', async () => {
    expect(await call('Identity', 'getPluginInfo')).toMatchObject({ name: 'agent.seine.dev', vendorVersion: '1' });
    expect(await call('Identity', 'probe')).toEqual({ ready: { value: true } });
    expect(await call('Identity', 'getPluginCapabilities')).toEqual({});
    expect(await call('Node', 'nodeGetInfo')).toEqual({ nodeId: 'node-1' });
    expect(await call('Node', 'nodeGetCapabilities')).toMatchObject({
      capabilities: [{ rpc: { type: 'VOLUME_MOUNT_GROUP' } }],
    });
    expect(await call('Registration', 'getInfo')).toEqual({
      type: 'CSIPlugin',
      name: 'agent.seine.dev',
      endpoint: '/on/the/host/csi.sock',
      supportedVersions: ['1.0.0'],
    });
    await call('Registration', 'notifyRegistrationStatus', { pluginRegistered: true });
    await call('Registration', 'notifyRegistrationStatus', { error: 'a reason' });
    expect(lab.log.join('')).toMatch(/has registered the driver.*does not register the driver .*: a reason/s);
    expect(fs.statSync(at('csi.sock')).mode & 0o777).toBe(0o600);
  });

  it('S-1: gives each pod a folder of its own, with a socket on which there is its identity only', async () => {
    await publish();
    await publish({ name: 'ratings-1', uid: 'uid-2', account: 'ratings' });
    expect(await identityAt('uid-1')).toBe('URI:spiffe://cluster.local/ns/default/sa/reviews');
    expect(await identityAt('uid-2')).toBe('URI:spiffe://cluster.local/ns/default/sa/ratings');
    for (const uid of ['uid-1', 'uid-2']) {
      expect(fs.readdirSync(targetOf(uid))).toEqual(['socket']);
      expect(fs.statSync(path.join(targetOf(uid), 'socket')).mode & 0o777).toBe(0o660);
      expect(fs.statSync(targetOf(uid)).mode & 0o007).toBe(0);
    }
  });

  it('S-7: checks a token that is shown on the socket besides', async () => {
    await publish();
    expect(await identityAt('uid-1', podToken('reviews', 'uid-1'))).toMatch(/sa\/reviews$/);
    for (const token of [podToken('ratings', 'uid-1'), podToken('reviews', 'uid-9'), 'junk'])
      await expect(identityAt('uid-1', token)).rejects.toThrow(
        /token on the socket of default\/reviews-1 is not its own/,
      );
  });

  it('takes kubelet’s new tokens, and asks with them when the old one is not believed', async () => {
    lab.isAway = true;
    await publish();
    expect(agent.waiting()).toHaveLength(1);
    lab.isAway = false;
    await publish();
    await lab.until(() => agent.waiting().length === 0);
    // Publishing again is no other workload.
    expect(agent.workloads()).toHaveLength(1);
  });

  it('takes a pod’s volume away with all of its streams; once more is no error', async () => {
    await publish();
    fs.symlinkSync(targetOf('uid-1'), at('pod-uid-1'));
    const stream = await lab.sotw(at('pod-uid-1/socket'), ['default']);
    await unpublish();
    await lab.until(() => stream.error !== undefined);
    expect([fs.existsSync(targetOf('uid-1')), agent.workloads(), files(at('state'))]).toEqual([false, [], []]);
    await unpublish();
    await call('Node', 'nodeUnpublishVolume', { volumeId: 'of-no-one', targetPath: targetOf('uid-9') });
  });

  it('serves the volumes again after a restart, and has written down no key and no token', async () => {
    await publish();
    await identityAt('uid-1');
    const kept = files(at('state')).map((file) => fs.readFileSync(file, 'utf8'));
    expect(kept).toHaveLength(1);
    expect(kept.join('')).not.toMatch(/PRIVATE|eyJ|CERTIFICATE/);
    stop();
    await start();
    expect(agent.waiting()).toHaveLength(1);
    // As kubelet does where the driver wants to be asked again.
    await publish();
    expect(await identityAt('uid-1')).toMatch(/sa\/reviews$/);
    await unpublish();
    expect(fs.existsSync(targetOf('uid-1'))).toBe(false);
  });

  it('does not let a broken record keep the others from being served', async () => {
    await publish();
    stop();
    fs.writeFileSync(at('state/volumes/broken.json'), '{"volumeId": 1');
    fs.writeFileSync(at('state/volumes/strange.json'), '{}');
    await start();
    expect(agent.workloads().map(({ name }) => name.split('@')[0])).toEqual(['default/reviews-1']);
    expect(lab.log.join('')).toMatch(/broken.json cannot be read/);
  });

  it.each<[string, Asked, RegExp]>([
    ['no pod info', { context: { 'csi.storage.k8s.io/pod.uid': '' } }, /^3 .*no uid of the pod.*podInfoOnMount: true/],
    ['no tokens', { context: { 'csi.storage.k8s.io/serviceAccount.tokens': '' } }, /^3 .*no token.*tokenRequests/],
    [
      'tokens of another audience',
      { context: { 'csi.storage.k8s.io/serviceAccount.tokens': '{"a":{}}' } },
      /^3 .*istio-ca/,
    ],
    ['tokens that are no JSON', { context: { 'csi.storage.k8s.io/serviceAccount.tokens': '{' } }, /^3 .*no JSON/],
    ['a token of another account', { token: podToken('ratings', 'uid-1') }, /^7 .*default:ratings.*default:reviews/],
    ['a token of another pod', { token: podToken('reviews', 'uid-2') }, /^7 .*bound to the pod "uid-2"/],
    ['a token that is none', { token: 'secret-junk' }, /^7 .*it is no JWT/],
    ['a persistent volume', { context: { 'csi.storage.k8s.io/ephemeral': 'false' } }, /^3 .*only inline volumes/],
    ['a block device', { change: { volumeCapability: { block: {} } } }, /^3 .*mounted only/],
    ['no target', { change: { targetPath: 'relative' } }, /^3 .*target_path/],
    ['no id', { change: { volumeId: '' } }, /^3 .*volume_id/],
    [
      'a group that is none',
      { change: { volumeCapability: { mount: { volumeMountGroup: 'x' } } } },
      /^3 .*'x' is no group/,
    ],
    ['an account that is none', { account: 'a b', token: podToken('a b', 'uid-1') }, /^13 .*path segment/],
  ])('refuses %s, and is none the worse for it', async (_what, asked, reason) => {
    await expect(publish(asked)).rejects.toThrow(reason);
    expect(agent.workloads()).toEqual([]);
    expect(lab.log.join('')).not.toMatch(/secret-junk|eyJ/);
    await publish();
    expect(await identityAt('uid-1')).toMatch(/sa\/reviews$/);
  });

  it('does not give the volume of one pod to another', async () => {
    await publish();
    await expect(
      publish({ uid: 'uid-2', change: { volumeId: 'csi-uid-1', targetPath: targetOf('uid-2') } }),
    ).rejects.toThrow(/^6 ALREADY_EXISTS/);
    expect(await identityAt('uid-1')).toMatch(/sa\/reviews$/);
  });
});
