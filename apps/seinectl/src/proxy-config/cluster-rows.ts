import type { Row } from '../output/table.js';
import { compareText } from './compare-text.js';
import { objectBehind, type Cluster } from './config-dump.js';
import { parseClusterName, type ClusterName } from './cluster-name.js';
import type { Filters } from './filters.js';

export const clusterHeader = ['SERVICE FQDN', 'PORT', 'SUBSET', 'DIRECTION', 'TYPE', 'DESTINATION RULE'];

/** Whether a name of the form `direction|port|subset|host` passes. */
export function matchesCluster(name: string, filters: Filters): boolean {
  const parsed = parseClusterName(name);
  return (
    (filters.name === undefined || filters.name === name) &&
    (filters.port === undefined || parsed.port === String(filters.port)) &&
    (filters.fqdn === undefined || parsed.fqdn.includes(filters.fqdn)) &&
    (filters.subset === undefined || parsed.subset === filters.subset) &&
    (filters.direction === undefined || parsed.direction === filters.direction.toLowerCase())
  );
}

/** The clusters that pass, by host, port, subset and direction. */
export function selectClusters(clusters: readonly Cluster[], filters: Filters): Cluster[] {
  return clusters
    .filter((cluster) => matchesCluster(cluster.name ?? '', filters))
    .sort((a, b) => compareNames(parseClusterName(a.name ?? ''), parseClusterName(b.name ?? '')));
}

export function clusterRows(clusters: readonly Cluster[]): Row[] {
  return clusters.map((cluster) => {
    const { fqdn, port, subset, direction } = parseClusterName(cluster.name ?? '');
    const type = cluster.type ?? cluster.cluster_type?.name ?? 'STATIC';
    return { cells: [fqdn, port || '-', subset || '-', direction || '-', type, objectBehind(cluster.metadata)] };
  });
}

function compareNames(a: ClusterName, b: ClusterName): number {
  return (
    compareText(a.fqdn, b.fqdn) ||
    Number(a.port) - Number(b.port) ||
    compareText(a.subset, b.subset) ||
    compareText(a.direction, b.direction)
  );
}
