import type { Endpoint } from '@seine/model';

type Labels = Readonly<Record<string, string>>;

/** The node that something runs on. */
export const nodeLabel = 'kubernetes.io/hostname';

/** Who is asked for the value of a label. */
type Labelled = Pick<Endpoint, 'labels' | 'locality' | 'network' | 'nodeName'>;

/** Labels that `failoverPriority` may name though no workload carries them: Istio derives them from where it runs. */
function topologyLabel(key: string, { locality, network, nodeName }: Labelled): string | undefined {
  switch (key) {
    case nodeLabel:
      return nodeName;
    case 'topology.kubernetes.io/region':
      return locality.region;
    case 'topology.kubernetes.io/zone':
      return locality.zone;
    case 'topology.istio.io/subzone':
      return locality.subzone;
    case 'topology.istio.io/network':
      return network;
    default:
      return undefined;
  }
}

/** The value of a label of a workload or endpoint, topology included; empty where it has none. */
export function labelOf(key: string, of: Labelled): string {
  return of.labels[key] ?? topologyLabel(key, of) ?? '';
}

/** Cuts a client down to the labels that some `failoverPriority` asks for, so that clients who agree in them share. */
export function selectLabels(keys: readonly string[], of: Labelled): Labels {
  return Object.fromEntries(keys.map((key) => [key, labelOf(key, of)]));
}
