import type { Row } from '../output/table.js';
import { matchesCluster } from './cluster-rows.js';
import { compareText } from './compare-text.js';
import { formatAddress, type ClusterStatus, type HostStatus } from './config-dump.js';
import type { Filters } from './filters.js';

export const endpointHeader = ['ENDPOINT', 'STATUS', 'OUTLIER CHECK', 'CLUSTER'];

/** The clusters that pass, each with only the hosts on the port asked for. */
export function selectEndpoints(clusters: readonly ClusterStatus[], filters: Filters): ClusterStatus[] {
  const { port, ...byName } = filters;
  return clusters
    .filter((cluster) => matchesCluster(cluster.name ?? '', byName))
    .map((cluster) => ({
      ...cluster,
      host_statuses: (cluster.host_statuses ?? []).filter(
        (host) => port === undefined || host.address?.socket_address?.port_value === port,
      ),
    }))
    .filter((cluster) => cluster.host_statuses.length > 0)
    .sort((a, b) => compareText(a.name ?? '', b.name ?? ''));
}

export function endpointRows(clusters: readonly ClusterStatus[]): Row[] {
  return clusters
    .flatMap((cluster) =>
      (cluster.host_statuses ?? []).map((host) => ({ address: formatAddress(host.address), host, cluster })),
    )
    .sort((a, b) => compareText(a.address, b.address) || compareText(a.cluster.name ?? '', b.cluster.name ?? ''))
    .map(({ address, host, cluster }) => ({
      cells: [address, healthCell(host), outlierCell(host), cluster.name ?? ''],
    }));
}

function healthCell(host: HostStatus): Row['cells'][number] {
  if (host.health_status?.failed_active_health_check) return { text: 'UNHEALTHY', colour: 'red' };
  const status = host.health_status?.eds_health_status ?? 'UNKNOWN';
  if (status === 'HEALTHY') return { text: status, colour: 'green' };
  return { text: status, colour: status === 'UNHEALTHY' ? 'red' : 'yellow' };
}

function outlierCell(host: HostStatus): Row['cells'][number] {
  return host.health_status?.failed_outlier_check ? { text: 'FAILED', colour: 'red' } : 'OK';
}
