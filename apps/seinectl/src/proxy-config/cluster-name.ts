/** A cluster's name as Istio builds it: `direction|port|subset|host`. */
export interface ClusterName {
  readonly direction: string;
  readonly port: string;
  readonly subset: string;
  readonly fqdn: string;
}

/** Names of another shape (`BlackHoleCluster`, the bootstrap's own) are hosts without port, subset or direction. */
export function parseClusterName(name: string): ClusterName {
  const parts = name.split('|');
  const [direction = '', port = '', subset = '', fqdn = ''] = parts;
  if (parts.length !== 4) return { direction: '', port: '', subset: '', fqdn: name };
  return { direction, port, subset, fqdn };
}
