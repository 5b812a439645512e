import type { Server } from '@seine/istio';
import { isHttp, isTcp, parseProtocol } from '@seine/model';
import type { GatewayServer } from '../../inputs.js';

/**
 * What a server makes of a connection. `http`: plaintext HTTP. `https`: TLS ended here, HTTP inside. `tls`: TLS ended
 * here, bytes inside. `passthrough`: TLS forwarded by the SNI of routes. `auto-passthrough`: TLS forwarded to the cluster
 * that the SNI names. `tcp`: bytes.
 */
export type ServerKind = 'http' | 'https' | 'tls' | 'passthrough' | 'auto-passthrough' | 'tcp';

const families: Readonly<Record<ServerKind, 'http' | 'tls' | 'tcp'>> = {
  http: 'http',
  https: 'tls',
  tls: 'tls',
  passthrough: 'tls',
  'auto-passthrough': 'tls',
  tcp: 'tcp',
};

/** Servers of one family can share a port. */
export function familyOf({ kind }: Pick<ReadServer, 'kind'>): 'http' | 'tls' | 'tcp' {
  return families[kind];
}

/** A server of a Gateway with what is derived from it. */
export interface ReadServer extends GatewayServer {
  readonly spec: Server;
  readonly kind: ServerKind;
  /** The port the Gateway names, before a Service translates it; `match.port` of its routes means this one. */
  readonly port: number;
}

/** @returns undefined for what can not be served: no port, UDP, TLS ports without `tls` */
export function readServer(server: GatewayServer): ReadServer | undefined {
  const spec = server.gateway.spec.servers?.[server.index];
  const port = spec?.port.number;
  if (!spec || port === undefined) return undefined;
  const kind = kindOf(spec);
  return kind && { ...server, spec, kind, port };
}

function kindOf(spec: Server): ServerKind | undefined {
  const protocol = parseProtocol(spec.port.protocol);
  if (protocol === undefined) return undefined;
  if (isHttp(protocol)) return 'http';
  if (isTcp(protocol)) return 'tcp';
  if ((protocol !== 'HTTPS' && protocol !== 'TLS') || !spec.tls) return undefined;
  if (spec.tls.mode === 'AUTO_PASSTHROUGH') return 'auto-passthrough';
  if ((spec.tls.mode ?? 'PASSTHROUGH') === 'PASSTHROUGH') return 'passthrough';
  return protocol === 'HTTPS' ? 'https' : 'tls';
}
