import { create } from '@bufbuild/protobuf';
import { durationOf, toAny } from '@seine/envoy';
import { TrafficDirection } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { type Listener, ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import { DnsFilterConfigSchema } from '@seine/envoy/envoy/extensions/filters/udp/dns_filter/v3/dns_filter_pb.js';
import { CaresDnsResolverConfigSchema } from '@seine/envoy/envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver_pb.js';
import { type Endpoint, isIpAddress, type MeshService, type ServiceEndpoints } from '@seine/model';
import { listenerName, udpAddress } from '../../frame/listeners-address.js';
import { sidecarDomains } from '../../frame/routes-domains.js';
import { splitAddresses } from '../outbound-listeners/service-addresses.js';

/** Where iptables redirects DNS to (Istio's port for its DNS proxy). */
const dnsAddress = '127.0.0.1';
const dnsPort = 15053;

/** Short enough that a changed address is soon seen, as Istio's DNS proxy answers. */
const answerTtlMilliseconds = 30_000;
const forwardTimeoutMilliseconds = 5_000;
const maxPendingLookups = 256n;

export interface DnsListenerInput {
  /** Services the client sees, with their allocated addresses; those without any are not answered but forwarded. */
  readonly services: readonly MeshService[];
  /** Endpoints of the headless ones, which have no address but those of their pods. */
  readonly headless?: readonly ServiceEndpoints[] | undefined;
  /** The client's namespace: there a service's bare name is known too. */
  readonly namespace: string;
}

/**
 * The DNS server of a sidecar with DNS_CAPTURE: mesh names by a table, all others forwarded to the resolvers of the
 * proxy's own /etc/resolv.conf, which Envoy's resolver reads.
 */
export function emitDnsListener(input: DnsListenerInput): Listener {
  const name = `udp_${listenerName(dnsAddress, dnsPort)}`;
  const filter = toAny(DnsFilterConfigSchema, {
    statPrefix: 'dns',
    serverConfig: { configSource: { case: 'inlineDnsTable', value: { virtualDomains: virtualDomains(input) } } },
    clientConfig: {
      resolverTimeout: durationOf(forwardTimeoutMilliseconds),
      maxPendingLookups,
      typedDnsResolverConfig: {
        name: 'envoy.network.dns_resolver.cares',
        typedConfig: toAny(CaresDnsResolverConfigSchema, {}),
      },
    },
  });
  return create(ListenerSchema, {
    name,
    address: udpAddress(dnsAddress, dnsPort),
    trafficDirection: TrafficDirection.OUTBOUND,
    udpListenerConfig: { downstreamSocketConfig: { maxRxDatagramSize: 9000n } },
    listenerFilters: [{ name: 'envoy.filters.udp.dns_filter', configType: { case: 'typedConfig', value: filter } }],
  });
}

/** A name that two services have (a short one, say) goes to the first by host. */
function virtualDomains({ services, headless = [], namespace }: DnsListenerInput) {
  const byName = new Map<string, readonly string[]>();
  const pods = new Map(headless.map(({ host, byPort }) => [host, [...byPort.values()].flat()]));
  const sorted = [...services].sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : 0));
  for (const service of sorted) {
    const { addresses } = splitAddresses(service.addresses);
    const known = addresses.length > 0 ? new Map([['', addresses]]) : podAddresses(pods.get(service.host) ?? []);
    for (const [prefix, list] of known)
      for (const name of namesOf(service, namespace).map((own) => prefix + own))
        if (!byName.has(name)) byName.set(name, list);
  }
  return [...byName].map(([name, address]) => ({
    name,
    endpoint: { endpointConfig: { case: 'addressList' as const, value: { address: [...address] } } },
    answerTtl: durationOf(answerTtlMilliseconds),
  }));
}

/** What a headless service's names stand for: its own for all pods that are ready, `mysql-0.` in front for one of them. */
function podAddresses(endpoints: readonly Endpoint[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const add = (prefix: string, address: string): void => {
    const list = found.get(prefix) ?? [];
    if (!list.includes(address)) list.push(address);
    found.set(prefix, list);
  };
  for (const { address, hostname, health } of endpoints) {
    if (health === 'unhealthy' || !isIpAddress(address)) continue;
    add('', address);
    if (hostname) add(`${hostname}.`, address);
  }
  return found;
}

function namesOf(service: MeshService, namespace: string): readonly string[] {
  const bare = { ...service, addresses: [], headless: false };
  const own = [service.host, ...(service.aliases ?? [])].filter((host) => host.split('.')[1] === namespace);
  return sidecarDomains(bare, 0, { bareNames: own });
}
