import { type BootstrapOptions, proxyEnvironment } from '@seine/bootstrap';
import type { Mesh } from '@seine/model';
import { type ProxyStart, proxyStart } from '@seine/pipeline';
import type { PlannedWorkload } from '../plan/planned-workload.js';

/** Where an Envoy finds pilot, and where it is found itself. */
export type EnvoySurroundings = Pick<BootstrapOptions, 'xds' | 'admin' | 'statusAddress'>;

function nodeOf(w: PlannedWorkload): BootstrapOptions['node'] {
  const { interceptionMode, httpProxyPort, appPorts, outboundCidr } = w;
  return {
    type: w.type,
    name: w.name,
    namespace: w.namespace,
    ipAddresses: [w.address],
    labels: w.labels,
    workloadName: w.owner,
    serviceAccount: w.serviceAccount,
    clusterId: 'Kubernetes',
    interceptionMode,
    httpProxyPort,
    appPorts,
    outboundCidr,
    dnsCapture: interceptionMode === 'REDIRECT',
  };
}

/** The part of a mesh that says how Envoys are started. */
export type StartConfig = Pick<Mesh, 'config' | 'resources'>;

/** What a workload's Envoy is started with; its environment also says whose it is, which metrics and traces tell. */
export function envoyStart(mesh: StartConfig, w: PlannedWorkload, surroundings: EnvoySurroundings): ProxyStart {
  const { prometheusPort, readyPort } = w;
  const { annotations } = w.pod.metadata;
  const node = nodeOf(w);
  const start = proxyStart(mesh, { node, ...surroundings, prometheusPort, readyPort, stats: 'all', annotations });
  return { ...start, environment: { ...proxyEnvironment(node), ...start.environment } };
}
