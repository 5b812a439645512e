import { bootstrapJson, type BootstrapOptions } from '@seine/bootstrap';
import type { PlannedWorkload } from '../plan/planned-workload.js';

/** Where an Envoy finds pilot, and where it is found itself. */
export type EnvoySurroundings = Pick<BootstrapOptions, 'xds' | 'admin' | 'statusAddress'>;

/** The bootstrap of a workload's Envoy, as JSON text. */
export function envoyBootstrap(w: PlannedWorkload, surroundings: EnvoySurroundings): string {
  const { interceptionMode, httpProxyPort, appPorts, outboundCidr, prometheusPort, readyPort } = w;
  return bootstrapJson({
    node: {
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
    },
    ...surroundings,
    prometheusPort,
    readyPort,
    stats: 'all',
  });
}
