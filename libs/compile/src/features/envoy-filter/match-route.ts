import type { RouteConfiguration } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import type { Route, VirtualHost } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import { httpProxyRouteName } from '../http-proxy/http-proxy.js';
import type { EnvoyPatch, PatchTarget } from './patches.js';

type Wanted = NonNullable<EnvoyPatch['match']['routeConfiguration']>;

/** The parts of a gateway's route name: `http.8080`, `https.443.https.my-gateway.istio-system`. */
function gatewayNameParts(name: string): { port: number; portName: string; gateway: string } {
  const [protocol, port = '', portName = '', gateway = '', namespace = ''] = name.split('.');
  if (protocol === 'http') return { port: Number(port), portName: '', gateway: '' };
  if (protocol !== 'https' || namespace === '') return { port: 0, portName: '', gateway: '' };
  return { port: Number(port), portName, gateway: `${namespace}/${gateway}` };
}

function matchesGateway(wanted: Wanted, name: string, servicePorts: PatchTarget['servicePorts']): boolean {
  const { port, portName, gateway } = gatewayNameParts(name);
  if (wanted.portName && wanted.portName !== portName) return false;
  if (wanted.gateway && wanted.gateway !== gateway) return false;
  return !wanted.portNumber || (servicePorts.get(port) ?? [port]).includes(wanted.portNumber);
}

/** `80`, `inbound|80||`; in explicit mode also `reviews.default.svc.cluster.local:80`. Undefined: the name has no port. */
function portOfName(name: string, explicit: boolean): number | undefined {
  const digits = /^(\d+)$/.exec(name) ?? /^inbound\|(\d+)\|/.exec(name) ?? (explicit ? /:(\d+)$/.exec(name) : null);
  return digits?.[1] === undefined ? undefined : Number(digits[1]);
}

/** In explicit mode the hosts of all ports are in this one: whether the port is meant, each host says. */
function servesAllPorts(name: string, explicit: boolean): boolean {
  return explicit && name === httpProxyRouteName;
}

/** Whether a RouteConfiguration is meant, as far as its name says. */
export function matchesRouteConfiguration({ match, applyTo }: EnvoyPatch, name: string, target: PatchTarget): boolean {
  const wanted = match.routeConfiguration;
  if (!wanted) return true;
  if (wanted.name && wanted.name !== name) return false;
  if (target.context === 'GATEWAY') return matchesGateway(wanted, name, target.servicePorts);
  if (!wanted.portNumber) return true;
  if (servesAllPorts(name, target.explicit)) return applyTo !== 'ROUTE_CONFIGURATION';
  return portOfName(name, target.explicit) === wanted.portNumber;
}

/** Whether a virtual host of a RouteConfiguration that matches is meant. */
export function matchesVirtualHost(
  { match }: EnvoyPatch,
  { name }: Pick<RouteConfiguration, 'name'>,
  host: VirtualHost,
  target: PatchTarget,
): boolean {
  const wanted = match.routeConfiguration;
  const isOutbound = target.context === 'SIDECAR_OUTBOUND';
  if (wanted?.portNumber && isOutbound && servesAllPorts(name, target.explicit))
    if (portOfName(host.name, true) !== wanted.portNumber) return false;
  const vhost = wanted?.vhost;
  if (vhost?.name && vhost.name !== host.name) return false;
  return !vhost?.domainName || host.domains.includes(vhost.domainName);
}

const actions = { route: 'ROUTE', redirect: 'REDIRECT', directResponse: 'DIRECT_RESPONSE' } as const;

/** By which route a place in a virtual host is meant; undefined where none is. */
export function routeMatch({ match }: EnvoyPatch): ((route: Route) => boolean) | undefined {
  const wanted = match.routeConfiguration?.vhost?.route;
  if (!wanted) return undefined;
  return ({ name, action }) => {
    if (wanted.name && wanted.name !== name) return false;
    if (!wanted.action || wanted.action === 'ANY') return true;
    // Istio takes a route that does something else than these three for any.
    const kind = action.case && action.case in actions ? actions[action.case as keyof typeof actions] : undefined;
    return kind === undefined || kind === wanted.action;
  };
}
