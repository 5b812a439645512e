import type { Diagnostic } from '@seine/diagnostics';
import { derivedAnnotations, isListenerGateway } from '@seine/model';
import { wildcardAddress } from '../../frame/listeners-address.js';
import type { GatewayPortInput } from '../../inputs.js';
import { hostPart } from '../routing/host-intersection.js';
import { familyOf, readServer, type ReadServer } from './gateway-servers.js';

/** What a port's servers are to one another depends on these alone. */
export type GatewayConflictsInput = Pick<GatewayPortInput, 'bindPort' | 'address' | 'servers' | 'workloadCertificates'>;

const familyNames = { http: 'plain HTTP', tls: 'TLS', tcp: 'plain TCP' } as const;

/**
 * Servers that have no effect on a gateway's port, wholly or for some of their hosts, because an older one stands there:
 * one diagnostic each, on the later object, with its field path. The order of the servers decides (older Gateways first).
 */
export function gatewayConflicts(input: GatewayConflictsInput): readonly Diagnostic[] {
  const byBind = new Map<string, ReadServer[]>();
  for (const server of input.servers.map(readServer)) {
    if (!server) continue;
    const bind = server.spec.bind || input.address || wildcardAddress;
    byBind.set(bind, [...(byBind.get(bind) ?? []), server]);
  }
  const found = [...byBind.values()].flatMap((servers) => [...familyConflicts(servers), ...hostConflicts(servers)]);
  return [...found, ...(input.workloadCertificates ? [] : [...byBind.values()].flat().flatMap(withoutAgent))];
}

function familyConflicts([first, ...others]: readonly ReadServer[]): readonly Diagnostic[] {
  if (!first) return [];
  return others
    .filter((server) => familyOf(server) !== familyOf(first) || familyOf(server) === 'tcp')
    .map((server) => {
      const message =
        `${describe(first)} has port ${first.port} with ${familyNames[familyOf(first)]} already, ` +
        `so ${self(server)} has no effect; give it another port${listenerOf(server) ? '' : ' or bind'}${familyOf(first) === 'tcp' ? '' : ', or the same protocol'}.`;
      return conflict(server, 'port', message);
    });
}

/** Connections are told apart by server name: the first that has one keeps it. Routes tell plain HTTP's hosts apart. */
function hostConflicts(servers: readonly ReadServer[]): readonly Diagnostic[] {
  const owners = new Map<string, ReadServer>();
  const found: Diagnostic[] = [];
  for (const server of servers) {
    if (familyOf(server) !== 'tls' || servers[0] === undefined || familyOf(servers[0]) !== 'tls') continue;
    server.spec.hosts.forEach((written, i) => {
      const host = hostPart(written).toLowerCase();
      const owner = owners.get(host);
      if (!owner) owners.set(host, server);
      // Where neither ends TLS, the SNI of routes decides.
      else if (owner !== server && !(owner.kind === 'passthrough' && server.kind === 'passthrough'))
        found.push(
          conflict(
            server,
            `hosts[${i}]`,
            `${describe(owner)} serves ${JSON.stringify(host)} on port ${server.port} already, so ${self(server)} does not; name other hosts or merge the two.`,
          ),
        );
    });
  }
  return found;
}

function withoutAgent(server: ReadServer): readonly Diagnostic[] {
  if (server.spec.tls?.mode !== 'ISTIO_MUTUAL') return [];
  const message =
    'The gateway has no agent that serves the certificate of the mesh, so this server has no effect; use SIMPLE or MUTUAL with credentialName.';
  return [{ ...conflict(server, 'tls.mode', message), code: 'SEINE-UNSUPPORTED' }];
}

/** The listener of the Gateway API that a server was derived from; that is what somebody has written. */
function listenerOf({ gateway: { metadata } }: ReadServer) {
  if (!isListenerGateway(metadata.name)) return undefined;
  const [, kind, owner, listener] =
    /^(\w+)\/([^/]+)\/(.+)\.[^.]+$/.exec(metadata.annotations?.[derivedAnnotations.parents] ?? '') ?? [];
  return kind && owner && listener ? { kind, owner, listener } : undefined;
}

function self(server: ReadServer): string {
  const from = listenerOf(server);
  return from ? `listener ${JSON.stringify(from.listener)}` : 'this server';
}

function describe(server: ReadServer): string {
  const { gateway, spec } = server;
  const { namespace, name } = gateway.metadata;
  const from = listenerOf(server);
  if (from) return `Listener ${JSON.stringify(from.listener)} of ${from.kind} ${namespace}/${from.owner}`;
  return `Server ${JSON.stringify(spec.name || spec.port.name)} of Gateway ${namespace}/${name}`;
}

function conflict(server: ReadServer, field: string, message: string): Diagnostic {
  const { namespace, name } = server.gateway.metadata;
  const from = listenerOf(server);
  return {
    severity: 'warning',
    code: 'SEINE-GATEWAY-CONFLICT',
    message,
    object: { kind: from?.kind ?? 'Gateway', namespace, name: from?.owner ?? name },
    path: from ? 'spec.listeners' : `spec.servers[${server.index}].${field}`,
  };
}
