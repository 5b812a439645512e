import type { Endpoint, Locality } from '@seine/model';

/** Endpoints that share a locality and a priority: what one Envoy `LocalityLbEndpoints` holds. */
export interface EndpointGroup {
  readonly locality: Locality;
  readonly endpoints: readonly Endpoint[];
  /** The locality's share of the traffic, relative to other groups of the priority: the sum of its endpoints unless the user distributes. */
  readonly weight: number;
  /** 0 is served first; lower ones take over as far as higher ones lack healthy endpoints. */
  readonly priority: number;
}

/** Envoy refuses sums of weights beyond an unsigned 32-bit number. */
export const maxWeight = 0xffff_ffff;

function sumOfWeights(endpoints: readonly Endpoint[]): number {
  let sum = 0;
  for (const endpoint of endpoints) sum += endpoint.weight;
  return Math.min(sum, maxWeight);
}

export function groupOf(locality: Locality, endpoints: readonly Endpoint[], priority = 0): EndpointGroup {
  return { locality, endpoints, weight: sumOfWeights(endpoints), priority };
}

function compareLocalities(a: Locality, b: Locality): number {
  return compare(a.region, b.region) || compare(a.zone, b.zone) || compare(a.subzone, b.subzone);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Groups endpoints by locality, in order of region, zone and sub-zone; endpoints keep their order. */
export function groupByLocality(endpoints: readonly Endpoint[]): readonly EndpointGroup[] {
  const lists = new Map<string, { locality: Locality; endpoints: Endpoint[] }>();
  let last: { locality: Locality; endpoints: Endpoint[] } | undefined;
  for (const endpoint of endpoints) {
    const { locality } = endpoint;
    if (last?.locality !== locality) {
      const key = `${locality.region}/${locality.zone}/${locality.subzone}`;
      last = lists.get(key);
      if (!last) lists.set(key, (last = { locality, endpoints: [] }));
    }
    last.endpoints.push(endpoint);
  }
  return [...lists.values()]
    .sort((a, b) => compareLocalities(a.locality, b.locality))
    .map((list) => groupOf(list.locality, list.endpoints));
}
