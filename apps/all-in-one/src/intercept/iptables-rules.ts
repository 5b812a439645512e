/** Envoy's user, as everywhere in Istio: what it sends must not be sent back to it. */
export const proxyUid = 1337;
const outboundPort = 15_001;
const inboundPort = 15_006;
const dnsPort = 15_053;
/** Ports of the proxy itself, which are reached as they are. */
const ownPorts = [15_008, 15_020, 15_021, 15_090];
/** Where Envoy's connections to its own application come from. */
const inboundSource = '127.0.0.6';

/**
 * What `iptables-restore` is to load in a pod's network namespace; the rules of istio-iptables (REDIRECT mode, DNS
 * capture): all that comes in goes to Envoy's 15006, all that the application sends to 15001, its DNS to 15053.
 */
export function iptablesRules(): string {
  const tcp = '-p tcp';
  const proxy = `-m owner --uid-owner ${proxyUid}`;
  const others = `-m owner ! --uid-owner ${proxyUid}`;
  const proxyGroup = `-m owner --gid-owner ${proxyUid}`;
  const otherGroups = `-m owner ! --gid-owner ${proxyUid}`;
  return [
    '*nat',
    ...['ISTIO_INBOUND', 'ISTIO_IN_REDIRECT', 'ISTIO_OUTPUT', 'ISTIO_REDIRECT'].map((chain) => `:${chain} - [0:0]`),
    `-A PREROUTING ${tcp} -j ISTIO_INBOUND`,
    `-A OUTPUT -p udp --dport 53 ${proxy} -j RETURN`,
    `-A OUTPUT -p udp --dport 53 ${proxyGroup} -j RETURN`,
    `-A OUTPUT -p udp --dport 53 -j REDIRECT --to-ports ${dnsPort}`,
    `-A OUTPUT ${tcp} -j ISTIO_OUTPUT`,
    ...ownPorts.map((port) => `-A ISTIO_INBOUND ${tcp} --dport ${port} -j RETURN`),
    `-A ISTIO_INBOUND ${tcp} -j ISTIO_IN_REDIRECT`,
    `-A ISTIO_IN_REDIRECT ${tcp} -j REDIRECT --to-ports ${inboundPort}`,
    `-A ISTIO_OUTPUT -s ${inboundSource}/32 -o lo -j RETURN`,
    // The application calls its own service, and Envoy picks this pod: in by the front door.
    `-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo ${tcp} ! --dport 15008 ${proxy} -j ISTIO_IN_REDIRECT`,
    `-A ISTIO_OUTPUT -o lo ${others} -j RETURN`,
    `-A ISTIO_OUTPUT ${proxy} -j RETURN`,
    `-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo ${tcp} ! --dport 15008 ${proxyGroup} -j ISTIO_IN_REDIRECT`,
    `-A ISTIO_OUTPUT -o lo ${otherGroups} -j RETURN`,
    `-A ISTIO_OUTPUT ${proxyGroup} -j RETURN`,
    '-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN',
    '-A ISTIO_OUTPUT -j ISTIO_REDIRECT',
    `-A ISTIO_REDIRECT ${tcp} -j REDIRECT --to-ports ${outboundPort}`,
    'COMMIT',
    '',
  ].join('\n');
}
