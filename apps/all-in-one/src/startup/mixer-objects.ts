import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ConfigObject } from '@seine/k8s';
import { withMutualTls } from '../identity/mutual-tls-label.js';
import { controlPlanePorts } from './control-plane-ports.js';

const labels = { app: 'mixer' };

/**
 * Mixer as Envoys find it: the Service `mixer` of the root namespace, and the one place where it is. No Pod: this
 * process is no workload that gets an Envoy.
 * @param machine address by which workloads reach this machine
 */
export function mixerObjects(machine: string): ConfigObject[] {
  const metadata = { name: 'mixer', namespace: 'istio-system' };
  const { port } = controlPlanePorts.mixer;
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ name: 'grpc', port: mixerServicePort, targetPort: port }] },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'WorkloadEntry',
      metadata,
      spec: { address: machine, labels: withMutualTls(labels), serviceAccount: 'mixer' },
    },
  ];
}

/** Where a RateLimit without a `service` asks. */
const mixerServicePort = 9091;

/** Writes them for the registry. @returns the folder that they are in */
export async function writeMixerObjects(stateDir: string, machine: string): Promise<string> {
  const folder = path.join(stateDir, 'control-plane');
  await mkdir(folder, { recursive: true });
  const list = { apiVersion: 'v1', kind: 'List', items: mixerObjects(machine) };
  await writeFile(path.join(folder, 'mixer.json'), `${JSON.stringify(list, null, 2)}\n`);
  return folder;
}
