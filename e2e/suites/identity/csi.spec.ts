import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, credentials, loadPackageDefinition, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { csiLoaderOptions, csiProto, pluginRegistrationProto } from '@seine/api';
import { closeConnections, type TestProcess } from '../../src/index.js';
import { fetchable, freePorts, IdentityLab, idOf, serials } from './identity-lab.js';

jest.setTimeout(180_000);

type Method = (request: object, callback: (error: ServiceError | null, response: object) => void) => void;
type ClientClass = new (address: string, channel: ReturnType<typeof credentials.createInsecure>) => Client;

const driver = 'agent.seine.dev';
const definitions = loadPackageDefinition(
  loadSync([fileURLToPath(csiProto), fileURLToPath(pluginRegistrationProto)], csiLoaderOptions),
) as unknown as {
  readonly csi: { readonly v1: { readonly Node: ClientClass } };
  readonly pluginregistration: { readonly Registration: ClientClass };
};

/** Whether this machine lets a mount be made, as a node lets its agent. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '--bind', '/tmp', '/tmp'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

let lab: IdentityLab;

beforeAll(async () => {
  lab = await IdentityLab.start();
  await lab.startCitadel();
});
afterAll(async () => {
  await lab.stop();
  closeConnections();
});

/** Plays kubelet: finds the driver by its registration socket, and asks it for the volumes of pods. */
class Kubelet {
  constructor(
    readonly folder: string,
    readonly registry: string,
  ) {}

  readonly targetOf = (uid: string) =>
    path.join(this.folder, `pods/${uid}/volumes/kubernetes.io~csi/workload-socket/mount`);

  async #call(service: ClientClass, socket: string, method: string, request: object): Promise<object> {
    const client = new service(`unix:${socket}`, credentials.createInsecure());
    try {
      const run = (client as unknown as Record<string, Method>)[method]!.bind(client);
      return await new Promise((resolve, reject) => {
        run(request, (error, response) => (error ? reject(error) : resolve(response)));
      });
    } finally {
      client.close();
    }
  }

  async #endpoint(): Promise<string> {
    const { Registration } = definitions.pluginregistration;
    const socket = path.join(this.registry, `${driver}-reg.sock`);
    const info = await this.#call(Registration, socket, 'getInfo', {});
    expect(info).toMatchObject({ type: 'CSIPlugin', name: driver });
    await this.#call(Registration, socket, 'notifyRegistrationStatus', { pluginRegistered: true });
    return (info as { readonly endpoint: string }).endpoint;
  }

  async publish(uid: string, account: string, token: string): Promise<void> {
    const request = {
      volumeId: `csi-${uid}`,
      targetPath: this.targetOf(uid),
      volumeCapability: { mount: {} },
      readonly: true,
      volumeContext: {
        'csi.storage.k8s.io/pod.name': `${account}-0`,
        'csi.storage.k8s.io/pod.namespace': 'default',
        'csi.storage.k8s.io/pod.uid': uid,
        'csi.storage.k8s.io/serviceAccount.name': account,
        'csi.storage.k8s.io/serviceAccount.tokens': JSON.stringify({ 'istio-ca': { token } }),
        'csi.storage.k8s.io/ephemeral': 'true',
      },
    };
    await this.#call(definitions.csi.v1.Node, await this.#endpoint(), 'nodePublishVolume', request);
  }

  async unpublish(uid: string): Promise<void> {
    const request = { volumeId: `csi-${uid}`, targetPath: this.targetOf(uid) };
    await this.#call(definitions.csi.v1.Node, await this.#endpoint(), 'nodeUnpublishVolume', request);
  }
}

const ways: readonly ('bind' | 'directory')[] = canMount() ? ['directory', 'bind'] : ['directory'];

describe.each(ways)('a pod’s Envoy on the socket of its CSI volume (%s)', (mount) => {
  let agent: TestProcess;
  let kubelet: Kubelet;
  const at = (...parts: readonly string[]) => lab.at(mount, ...parts);
  const start = async (): Promise<TestProcess> =>
    await lab.program('agent', [
      ...lab.citadelFlags,
      ...['--state', at('state'), '--csi-socket', at('csi.sock'), '--csi-registration', at('registry')],
      ...['--csi-mount', mount, '--csi-group', String(process.getgid?.() ?? 0)],
    ]);
  /** In its pod the volume is at a short path, as kubelet mounts it there. */
  const inPod = (uid: string): string => {
    const link = at(uid);
    if (!fs.existsSync(link)) fs.symlinkSync(kubelet.targetOf(uid), link);
    return path.join(link, 'socket');
  };

  afterAll(async () => {
    for (const uid of ['uid-client', 'uid-server']) await kubelet.unpublish(uid).catch(() => undefined);
    await agent.stop('SIGKILL');
  });

  it('S-1: gets its pod’s certificate, and the pods know each other', async () => {
    kubelet = new Kubelet(at('kubelet'), at('registry'));
    agent = await start();
    for (const account of ['client', 'server'])
      await kubelet.publish(`uid-${account}`, account, lab.tokenOf(account, `uid-${account}`));
    const ports = await freePorts();
    const client = await lab.startEnvoy('client', { ports, socket: inPod('uid-client') });
    await lab.startEnvoy('server', { ports, socket: inPod('uid-server') });
    await client.until(() => lab.succeeds(ports.client), 'answered');
    expect(await lab.seenAs(ports.client)).toContain(`URI=${idOf('client')}`);
    expect(fs.readdirSync(kubelet.targetOf('uid-client'))).toEqual(['socket']);
    expect(fs.statSync(inPod('uid-client')).mode & 0o777).toBe(0o660);
    expect(fs.statSync(kubelet.targetOf('uid-client')).mode & 0o007).toBe(0);
    if (mount === 'bind')
      expect(() => fs.writeFileSync(path.join(kubelet.targetOf('uid-client'), 'x'), '')).toThrow(/EROFS/);
  });

  it('gets none where the token is another pod’s, or forged', async () => {
    await expect(kubelet.publish('uid-thief', 'server', lab.tokenOf('client'))).rejects.toThrow(/PERMISSION_DENIED/);
    const forged = `${lab.tokenOf('server', 'uid-thief').split('.').slice(0, 2).join('.')}.Zm9yZ2Vk`;
    await kubelet.publish('uid-thief', 'server', forged);
    await agent.until(() => /server-0@.*no certificate: .*UNAUTHENTICATED/.test(agent.output), 'not believed');
    const ports = await freePorts();
    const thief = await lab.startEnvoy('client', { ports, socket: inPod('uid-thief') });
    await thief.until(() => fetchable(ports.clientAdmin), 'up');
    expect(await serials(ports.clientAdmin)).toEqual([]);
    await kubelet.unpublish('uid-thief');
    expect(fs.existsSync(kubelet.targetOf('uid-thief'))).toBe(false);
  });

  it('goes on while the agent is away, and on the same volume with the next one', async () => {
    const ports = await freePorts();
    const client = await lab.startEnvoy('client', { ports, socket: inPod('uid-client') });
    await lab.startEnvoy('server', { ports, socket: inPod('uid-server') });
    await client.until(() => lab.succeeds(ports.client), 'answered');
    await agent.stop('SIGKILL');
    expect(await lab.succeeds(ports.client)).toBe(true);
    const before = await serials(ports.clientAdmin);
    agent = await start();
    // kubelet asks again from time to time, with fresh tokens.
    for (const account of ['client', 'server'])
      await kubelet.publish(`uid-${account}`, account, lab.tokenOf(account, `uid-${account}`));
    await client.until(async () => (await serials(ports.clientAdmin)).some((one) => !before.includes(one)), 'renewed');
    expect(await lab.succeeds(ports.client)).toBe(true);
    expect(agent.output).not.toMatch(/PRIVATE KEY|eyJ/);
  });

  it('leaves nothing behind when the pod goes', async () => {
    for (const uid of ['uid-client', 'uid-server']) {
      await kubelet.unpublish(uid);
      expect(fs.existsSync(kubelet.targetOf(uid))).toBe(false);
    }
    expect(fs.readdirSync(at('state/volumes'))).toEqual([]);
    expect(fs.existsSync(at('state/certificates'))).toBe(false);
  });
});
