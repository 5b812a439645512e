import { isIpv6 } from '@seine/model';
import type { Chosen, TrafficCapture } from './traffic-capture.js';

/** Envoy's user, as everywhere in Istio: what it sends must not be sent back to it. */
export const proxyUid = 1337;

/** The ports that traffic is sent to. */
const ports = { outbound: 15_001, inbound: 15_006, dns: 15_053, tunnel: 15_008 } as const;
/** Ports of the proxy itself, which are reached as they are. */
export const ownPorts: readonly number[] = [15_008, 15_020, 15_021, 15_090];

export interface CaptureRulesOptions extends TrafficCapture {
  readonly family: 'ipv4' | 'ipv6';
  /** Whether the application's DNS goes to the proxy. */
  readonly dns: boolean;
}

/** Everything, both ways. */
export const captureAll: TrafficCapture = {
  mode: 'REDIRECT',
  includeInboundPorts: '*',
  excludeInboundPorts: [],
  includeOutboundPorts: [],
  excludeOutboundPorts: [],
  includeOutboundIPRanges: '*',
  excludeOutboundIPRanges: [],
  excludeInterfaces: [],
  kubevirtInterfaces: [],
};

const tcp = '-p tcp';
const proxy = `-m owner --uid-owner ${proxyUid}`;
const others = `-m owner ! --uid-owner ${proxyUid}`;
const proxyGroup = `-m owner --gid-owner ${proxyUid}`;
const otherGroups = `-m owner ! --gid-owner ${proxyUid}`;

/**
 * What `iptables-restore` (`ip6tables-restore`) is to load in a pod's network namespace: the rules of istio-iptables in
 * REDIRECT mode. What comes in goes to Envoy's 15006, what the application sends to 15001, its DNS to 15053.
 */
export function captureRules(options: CaptureRulesOptions): string {
  const { family, dns } = options;
  // Where Envoy's connections to its own application come from, and where the application reaches itself.
  const inboundSource = family === 'ipv4' ? '127.0.0.6/32' : '::6/128';
  const loopback = family === 'ipv4' ? '127.0.0.1/32' : '::1/128';
  return [
    '*nat',
    ...['ISTIO_INBOUND', 'ISTIO_IN_REDIRECT', 'ISTIO_OUTPUT', 'ISTIO_REDIRECT'].map((chain) => `:${chain} - [0:0]`),
    ...prerouting(options),
    ...(dns
      ? [
          ...[proxy, proxyGroup].map((own) => `-A OUTPUT -p udp --dport 53 ${own} -j RETURN`),
          `-A OUTPUT -p udp --dport 53 -j REDIRECT --to-ports ${ports.dns}`,
        ]
      : []),
    `-A OUTPUT ${tcp} -j ISTIO_OUTPUT`,
    ...inbound(options),
    `-A ISTIO_IN_REDIRECT ${tcp} -j REDIRECT --to-ports ${ports.inbound}`,
    ...options.excludeInterfaces.map((name) => `-A ISTIO_OUTPUT -o ${name} -j RETURN`),
    ...options.excludeOutboundPorts.map((port) => `-A ISTIO_OUTPUT ${tcp} --dport ${port} -j RETURN`),
    `-A ISTIO_OUTPUT -s ${inboundSource} -o lo -j RETURN`,
    // The application calls its own service, and Envoy picks this pod: in by the front door.
    `-A ISTIO_OUTPUT ! -d ${loopback} -o lo ${tcp} ! --dport ${ports.tunnel} ${proxy} -j ISTIO_IN_REDIRECT`,
    `-A ISTIO_OUTPUT -o lo ${others} -j RETURN`,
    `-A ISTIO_OUTPUT ${proxy} -j RETURN`,
    `-A ISTIO_OUTPUT ! -d ${loopback} -o lo ${tcp} ! --dport ${ports.tunnel} ${proxyGroup} -j ISTIO_IN_REDIRECT`,
    `-A ISTIO_OUTPUT -o lo ${otherGroups} -j RETURN`,
    `-A ISTIO_OUTPUT ${proxyGroup} -j RETURN`,
    `-A ISTIO_OUTPUT -d ${loopback} -j RETURN`,
    ...outbound(options),
    `-A ISTIO_REDIRECT ${tcp} -j REDIRECT --to-ports ${ports.outbound}`,
    'COMMIT',
    '',
  ].join('\n');
}

function prerouting({ excludeInterfaces, kubevirtInterfaces }: CaptureRulesOptions): readonly string[] {
  return [
    ...excludeInterfaces.map((name) => `-A PREROUTING -i ${name} -j RETURN`),
    ...kubevirtInterfaces.map((name) => `-A PREROUTING -i ${name} ${tcp} -j ISTIO_REDIRECT`),
    `-A PREROUTING ${tcp} -j ISTIO_INBOUND`,
  ];
}

function inbound({ includeInboundPorts, excludeInboundPorts }: CaptureRulesOptions): readonly string[] {
  const taken = (port: number, target: string): string => `-A ISTIO_INBOUND ${tcp} --dport ${port} -j ${target}`;
  if (includeInboundPorts !== '*') return includeInboundPorts.map((port) => taken(port, 'ISTIO_IN_REDIRECT'));
  const left = [...new Set([...ownPorts, ...excludeInboundPorts])];
  return [...left.map((port) => taken(port, 'RETURN')), `-A ISTIO_INBOUND ${tcp} -j ISTIO_IN_REDIRECT`];
}

function outbound(options: CaptureRulesOptions): readonly string[] {
  const { family, includeOutboundPorts, includeOutboundIPRanges, excludeOutboundIPRanges } = options;
  const ofFamily = (ranges: readonly string[]): readonly string[] =>
    ranges.filter((range) => isIpv6(range.slice(0, range.indexOf('/'))) === (family === 'ipv6'));
  const redirect = (range: string): string => `-A ISTIO_OUTPUT${range} -j ISTIO_REDIRECT`;
  return [
    ...each(includeOutboundPorts, (port) => redirect(` ${tcp} --dport ${port}`), redirect('')),
    ...ofFamily(excludeOutboundIPRanges).map((range) => `-A ISTIO_OUTPUT -d ${range} -j RETURN`),
    ...(includeOutboundIPRanges === '*'
      ? [redirect('')]
      : ofFamily(includeOutboundIPRanges).map((range) => redirect(` -d ${range}`))),
  ];
}

function each<T>(chosen: Chosen<T>, rule: (one: T) => string, all: string): readonly string[] {
  return chosen === '*' ? [all] : chosen.map(rule);
}
