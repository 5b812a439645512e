import type { Endpoint, Locality } from '@seine/model';

type Labels = Readonly<Record<string, string>>;

/** Labels that `failoverPriority` may name though no workload carries them: Istio derives them from where it runs. */
function topologyLabel(key: string, locality: Locality, network: string): string | undefined {
  switch (key) {
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
export function labelOf(key: string, of: Pick<Endpoint, 'labels' | 'locality' | 'network'>): string {
  return of.labels[key] ?? topologyLabel(key, of.locality, of.network) ?? '';
}

/** Cuts a client down to the labels that some `failoverPriority` asks for, so that clients who agree in them share. */
export function selectLabels(keys: readonly string[], of: Pick<Endpoint, 'labels' | 'locality' | 'network'>): Labels {
  return Object.fromEntries(keys.map((key) => [key, labelOf(key, of)]));
}
