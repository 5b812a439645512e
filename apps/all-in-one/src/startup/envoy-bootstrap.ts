import { type BootstrapOptions, proxyEnvironment } from '@seine/bootstrap';
import { formatDiagnostic } from '@seine/diagnostics';
import type { Mesh } from '@seine/model';
import { type ProxyStart, proxyStart } from '@seine/pipeline';
import type { OpenOptions } from '../hosting.js';
import type { PlannedWorkload } from '../plan/planned-workload.js';

/** Where an Envoy finds pilot and the agent, and where it is found itself. */
export type EnvoySurroundings = Pick<BootstrapOptions, 'xds' | 'admin' | 'statusAddress' | 'agentSocket'>;

/** Who an Envoy says it is. */
export function nodeOf(w: PlannedWorkload): BootstrapOptions['node'] {
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

/**
 * What a workload's Envoy is started with; its environment also says whose it is, which metrics and traces tell.
 * @param notice is told what it does not get
 */
export function envoyStart(
  { mesh, notice }: Pick<OpenOptions, 'mesh' | 'notice'>,
  w: PlannedWorkload,
  surroundings: EnvoySurroundings,
): Omit<ProxyStart, 'diagnostics'> {
  const { prometheusPort, readyPort } = w;
  const { annotations } = w.pod.metadata;
  const node = nodeOf(w);
  const { diagnostics, ...start } = proxyStart(mesh, {
    node,
    ...surroundings,
    prometheusPort,
    readyPort,
    stats: 'all',
    annotations,
  });
  for (const problem of diagnostics) notice(formatDiagnostic(problem));
  return { ...start, environment: { ...proxyEnvironment(node), ...start.environment } };
}
