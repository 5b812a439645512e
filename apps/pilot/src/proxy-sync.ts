import { TypeUrl } from '@seine/envoy';
import type { Proxy } from '@seine/model';
import type { ProxyStatus, ServerStatus, TypeStatus } from '@seine/xds-server';

/** One type of one proxy, as `proxy-status` shows it. Times are RFC 3339. */
export interface TypeSync {
  readonly status: 'SYNCED' | 'STALE' | 'NOT SENT' | 'REJECTED';
  readonly sent: string;
  readonly acked: string;
  readonly pendingSince?: string;
  readonly nack?: { readonly message: string; readonly at: string; readonly version: string };
}

export interface ProxySync {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly type: string;
  readonly cluster: string;
  readonly connected: boolean;
  readonly connectedAt: string;
  readonly envoyVersion: string;
  readonly protocol: string;
  readonly ackedRevision: number;
  readonly synced: boolean;
  /** Secrets and extensions only where the proxy has asked for some. */
  readonly types: Readonly<Record<'cds' | 'lds' | 'eds' | 'rds', TypeSync> & Partial<Record<'sds' | 'ecds', TypeSync>>>;
}

/** The answer of /debug/syncz. */
export interface SyncReport {
  /** The newest revision of the mesh that this pilot serves. */
  readonly revision: number;
  readonly proxies: readonly ProxySync[];
  readonly refusals: ServerStatus['refusals'];
}

const shortNames = {
  cds: TypeUrl.cluster,
  lds: TypeUrl.listener,
  eds: TypeUrl.endpoint,
  rds: TypeUrl.route,
  sds: TypeUrl.secret,
  ecds: TypeUrl.extension,
} as const;

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function typeSync(status: TypeStatus | undefined): TypeSync {
  if (!status || status.sent === '') return { status: 'NOT SENT', sent: '', acked: '' };
  const { sent, acked, pendingSince, nack } = status;
  return {
    status: nack ? 'REJECTED' : pendingSince === undefined ? 'SYNCED' : 'STALE',
    sent,
    acked,
    ...(pendingSince !== undefined && { pendingSince: iso(pendingSince) }),
    ...(nack && { nack: { ...nack, at: iso(nack.at) } }),
  };
}

function proxySync(status: ProxyStatus, proxy: Proxy | undefined, revision: number): ProxySync {
  const types = new Map(status.types.map((type) => [type.typeUrl, type]));
  const sync = (typeUrl: string): TypeSync => typeSync(types.get(typeUrl));
  return {
    id: status.id,
    name: proxy?.name ?? status.id,
    namespace: proxy?.namespace ?? '',
    type: proxy?.type ?? '',
    cluster: proxy?.clusterId ?? '',
    connected: true,
    connectedAt: iso(status.connectedAt),
    envoyVersion: status.envoyVersion,
    protocol: status.variant,
    ackedRevision: status.settledRevision,
    synced: status.settledRevision >= revision,
    types: {
      cds: sync(shortNames.cds),
      lds: sync(shortNames.lds),
      eds: sync(shortNames.eds),
      rds: sync(shortNames.rds),
      ...(types.has(shortNames.sds) && { sds: sync(shortNames.sds) }),
      ...(types.has(shortNames.ecds) && { ecds: sync(shortNames.ecds) }),
    },
  };
}

/**
 * Who has accepted what. Of two streams of one proxy (a half-dead one and its successor) the newest counts.
 * @param revision the revision that `synced` is about
 */
export function syncReport(
  status: ServerStatus,
  proxies: readonly Proxy[],
  current: number,
  revision: number,
): SyncReport {
  const byId = new Map(proxies.map((proxy) => [proxy.id, proxy]));
  const newest = new Map<string, ProxyStatus>();
  for (const proxy of status.proxies) {
    const known = newest.get(proxy.id);
    if (!known || known.stream < proxy.stream) newest.set(proxy.id, proxy);
  }
  return {
    revision: current,
    proxies: [...newest.values()]
      .map((p) => proxySync(p, byId.get(p.id), revision))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    refusals: status.refusals,
  };
}
