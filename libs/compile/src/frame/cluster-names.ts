/** Names of Envoy clusters, as Istio users know them from `/config_dump`, access logs and metrics. */

/** ORIGINAL_DST: where outbound traffic to unknown hosts goes (outboundTrafficPolicy ALLOW_ANY). */
export const PassthroughCluster = 'PassthroughCluster';

/** Dynamic forward proxy: resolves the host that a request names, where its connection has no original destination. */
export const AllowAnyDynamicDNSCluster = 'AllowAnyDynamicDNSCluster';

/** No endpoints: where traffic goes that must not go anywhere. */
export const BlackHoleCluster = 'BlackHoleCluster';

/** ORIGINAL_DST: where inbound traffic to ports goes that no service declares. */
export const InboundPassthroughCluster = 'InboundPassthroughCluster';

/** `outbound|9080|v1|reviews.default.svc.cluster.local`; an empty subset is the service itself. */
export function outboundClusterName(port: number, subset: string | undefined, host: string): string {
  return `outbound|${port}|${subset ?? ''}|${host}`;
}

/** `outbound_.9080_.v1_.reviews.default.svc.cluster.local`: a cluster's name as SNI, where `|` may not stand. */
export function sniClusterName(port: number, subset: string | undefined, host: string): string {
  return `outbound_.${port}_.${subset ?? ''}_.${host}`;
}

/** `inbound|9080||`: by the workload's own port, without a host. */
export function inboundClusterName(targetPort: number): string {
  return `inbound|${targetPort}||`;
}

/** What a cluster name says; `host` is empty for inbound clusters. */
export interface ClusterNameParts {
  readonly direction: 'outbound' | 'inbound';
  readonly port: number;
  /** Empty = none. */
  readonly subset: string;
  readonly host: string;
}

/** Takes a cluster name apart; undefined for names that are not of the form `direction|port|subset|host`. */
export function parseClusterName(name: string): ClusterNameParts | undefined {
  const [direction, portText, subset, host, ...rest] = name.split('|');
  if ((direction !== 'outbound' && direction !== 'inbound') || rest.length > 0) return undefined;
  if (portText === undefined || subset === undefined || host === undefined || !/^\d+$/.test(portText)) return undefined;
  return { direction, port: Number(portText), subset, host };
}
