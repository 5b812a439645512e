import { create } from '@bufbuild/protobuf';
import { TrafficDirection } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { FilterChainSchema } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { type Listener, ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import { isHttp, type MeshService, type ServicePort } from '@seine/model';
import { emitAddress } from '../../frame/endpoints-message.js';
import { listenerName, wildcardAddress } from '../../frame/listeners-address.js';
import { chainContext, type OutboundListenerInput } from '../../inputs.js';
import { emitListenerAccessLog } from '../access-log/access-log.js';
import { emitHttpConnectionManager } from '../http-connection-manager/http-connection-manager.js';
import { httpProxyRouteName } from '../http-proxy/http-proxy.js';
import { besideHttp, inspection, type ServiceOnPort } from '../outbound-listeners/outbound-listeners.js';
import { plaintextHttpMatch } from '../protocol-sniffing/protocol-sniffing.js';
import { emitFilterChains } from '../tcp-routing/filter-chains.js';
import { serviceChains } from '../tcp-routing/tcp-routing.js';
import { type EgressBind, isUnixSocket } from './egress-bind.js';

export interface EgressListenerInput extends Omit<OutboundListenerInput, 'port'> {
  readonly bind: EgressBind;
  /** Nothing redirects connections to this client (interceptionMode NONE), so every listener is dialled itself. */
  readonly explicit: boolean;
  /** Where listeners without `bind` stand that clients dial. */
  readonly loopback: string;
}

/** The name of the RDS resource of an egress listener: its port, its socket's path as written, or the HTTP proxy's. */
export function egressRouteName(bind: EgressBind): string {
  if (bind.httpProxy) return httpProxyRouteName;
  return bind.bind !== undefined && isUnixSocket(bind.bind) ? bind.bind : String(bind.port);
}

/**
 * The listener of an `egress` entry that has an address of its own. Without `bind` it is the loopback address where
 * clients dial it, and all addresses where iptables bring them. Undefined where nothing stands behind it.
 */
export function emitEgressListener(input: EgressListenerInput): Listener | undefined {
  const { bind, explicit, loopback } = input;
  const bindToPort = bind.bindToPort || explicit;
  const address = bind.bind ?? (bindToPort ? loopback : wildcardAddress);
  const name = isUnixSocket(address) ? address : listenerName(address, bind.port);
  const chains = emitChains(name, input);
  if (!chains) return undefined;
  return create(ListenerSchema, {
    name,
    address: emitAddress(address, bind.port),
    trafficDirection: TrafficDirection.OUTBOUND,
    bindToPort,
    accessLog: emitListenerAccessLog(chainContext('outbound', input)),
    ...chains,
  });
}

function emitChains(name: string, input: EgressListenerInput) {
  const { bind } = input;
  const entries = entriesOf(input);
  const context = chainContext('outbound', input);
  const httpEntries = entries.filter(({ port }) => isHttp(port.protocol) || port.protocol === 'auto');
  const speaksHttp = bind.httpProxy || (bind.protocol ? isHttp(bind.protocol) : httpEntries.length > 0);
  const l4 = entries
    .filter((entry) => !bind.httpProxy && !isHttp(entry.port.protocol))
    .flatMap((entry) => serviceChains({ ...entry, subnets: [], ownAddress: false }, { ...input, port: bind.port }));
  const bySni = l4.some(({ match }) => match.serverNames.length > 0);
  if (!speaksHttp) {
    if (l4.length === 0) return undefined;
    return { ...inspection({ tls: bySni, http: false }, input.config), filterChains: emitFilterChains(l4) };
  }
  const sniffed = l4.length > 0;
  const http = create(FilterChainSchema, {
    ...(sniffed && { filterChainMatch: plaintextHttpMatch() }),
    filters: [
      emitHttpConnectionManager({
        statPrefix: `outbound_${name}`,
        routes: egressRouteName(bind),
        grpcWeb: httpEntries.some(({ port }) => port.protocol === 'GRPC-Web'),
        httpProxy: bind.httpProxy,
        context,
      }),
    ],
  });
  return { ...inspection({ tls: sniffed, http: sniffed }, input.config), ...besideHttp(http, l4) };
}

/** What stands behind the listener, oldest first. A listener that is not of one port has one port of each service. */
function entriesOf({ services, bind }: EgressListenerInput): readonly ServiceOnPort[] {
  const wantsHttp = bind.httpProxy || (bind.protocol !== undefined && isHttp(bind.protocol));
  const fits = (port: ServicePort): boolean => isHttp(port.protocol) === wantsHttp;
  const pick = ({ ports }: MeshService): ServicePort | undefined => {
    const served = ports.filter(({ protocol }) => protocol !== 'UDP');
    if (bind.ofOnePort) return served.find(({ port }) => port === bind.port);
    const found = served.find(fits) ?? served[0];
    return found && bind.protocol ? { ...found, protocol: bind.protocol } : found;
  };
  return [...services]
    .sort((a, b) => compare(a.creationTimestamp, b.creationTimestamp) || compare(a.host, b.host))
    .flatMap((service) => {
      const port = pick(service);
      return port ? [{ service, port }] : [];
    });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
