import fs from 'node:fs';
import path from 'node:path';
import { poll } from '@seine/testing';
import {
  casesFolder,
  httpProxyPort,
  type MeshOptions,
  MixerProcess,
  type Reply,
  request,
  type RequestOptions,
  TestMesh,
  type WorkloadOptions,
} from '../../src/index.js';

const account = (name: string) => ({ serviceAccount: `bookinfo-${name}` });
export const bookinfoWorkloads: readonly WorkloadOptions[] = [
  { name: 'productpage-v1', sidecar: true, ...account('productpage') },
  { name: 'details-v1', sidecar: true, ...account('details') },
  { name: 'reviews-v2', sidecar: true, ...account('reviews') },
  { name: 'reviews-v3', sidecar: true, ...account('reviews') },
  { name: 'ratings-v1', sidecar: true, ...account('ratings') },
];

/** Bookinfo's workloads behind sidecars, and a mixer that reads the same configuration as pilot. */
export class PolicyMesh {
  private constructor(
    readonly mesh: TestMesh,
    readonly mixer: MixerProcess,
  ) {}

  static async start(options: Omit<MeshOptions, 'identity'> = {}): Promise<PolicyMesh> {
    const mixer = await MixerProcess.prepare();
    const mesh = await TestMesh.start({
      identity: true,
      workloads: bookinfoWorkloads,
      ...options,
      config: { mixer: mixer.yaml, ...options.config },
    });
    const started = new PolicyMesh(mesh, mixer);
    await started.startMixer();
    return started;
  }

  async startMixer(): Promise<void> {
    await this.mixer.start(this.mesh.identity, ['--config-dir', this.mesh.configDir]);
  }

  async stop(): Promise<void> {
    await this.mixer.stop();
    await this.mesh.stop();
  }

  /** A call by the application of a workload, through its Envoy. */
  async callFrom(workload: string, url: string, options: RequestOptions = {}): Promise<Reply> {
    const { address } = this.mesh.workloads.get(workload)!;
    const { host } = new URL(url);
    return await request(address, httpProxyPort, url, { ...options, headers: { host, ...options.headers } });
  }

  /** Puts rules into force at the proxies; mixer hears of them by itself: poll for what they do. */
  async apply(yaml: string): Promise<void> {
    await this.mesh.apply('policy', yaml);
  }

  async clear(): Promise<void> {
    await this.mesh.apply('policy', '');
  }
}

/** A policy file of Istio 1.1 to 1.4, as its users have it. @param file relative to the legacy cases */
export function legacyYaml(file: string): string {
  return fs.readFileSync(path.join(casesFolder(), 'legacy', file), 'utf8');
}

/** An object of config.istio.io; JSON is YAML. */
export function mixerYaml(
  kind: string,
  name: string,
  spec: unknown,
  { namespace = 'istio-system', annotations = {} }: { namespace?: string; annotations?: Record<string, string> } = {},
): string {
  return `apiVersion: config.istio.io/v1alpha2
kind: ${kind}
metadata: { name: ${name}, namespace: ${namespace}, annotations: ${JSON.stringify(annotations)} }
spec: ${JSON.stringify(spec)}
`;
}

/** Calls until an answer has this status. @returns the answer */
export async function untilStatus(status: number, call: () => Promise<Reply>): Promise<Reply> {
  let last: Reply | undefined;
  const isIt = async (): Promise<boolean> => {
    last = await call();
    return last.status === status;
  };
  await poll(isIt, `an answer with status ${status}`, 30_000).catch((error: unknown) => {
    throw new Error(`${String(error)}; the last was ${last?.status} ${last?.body}`);
  });
  return last!;
}
