import { workloadLabels } from '@seine/bootstrap';
import type { WorkloadLabels } from '@seine/model';

/** Where an Envoy says who it is. */
export interface EnvoyInfo {
  /** `http://127.0.0.1:15000/server_info` */
  readonly serverInfo: string;
}

interface ServerInfo {
  readonly node?: {
    readonly metadata?: {
      readonly WORKLOAD_NAME?: unknown;
      readonly CLUSTER_ID?: unknown;
      readonly LABELS?: Readonly<Record<string, string>> | null;
    } | null;
  } | null;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/**
 * What metrics call a workload, by what its Envoy was started with.
 * @param text of Envoy's `/server_info`; what is not in it is `unknown`
 */
export function labelsFromServerInfo(
  text: string,
  place: { readonly name: string; readonly namespace: string },
): WorkloadLabels {
  let info: ServerInfo | null = null;
  try {
    info = JSON.parse(text) as ServerInfo | null;
  } catch {
    // Whatever answers there, it is no Envoy: the workload has its own name and no labels.
  }
  const { WORKLOAD_NAME, CLUSTER_ID, LABELS } = info?.node?.metadata ?? {};
  return workloadLabels({
    ...place,
    labels: LABELS ?? {},
    workloadName: textOf(WORKLOAD_NAME),
    clusterId: textOf(CLUSTER_ID),
  });
}
