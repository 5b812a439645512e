import { create } from '@bufbuild/protobuf';
import type { Duration } from '@bufbuild/protobuf/wkt';
import { type Metadata, MetadataSchema, type TransportSocket } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import {
  type Filter,
  type FilterChain,
  FilterChainSchema,
} from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import type { ConfigObject } from '@seine/k8s';
import { type Cidr, formatIpv4, parseCidr, parseIpv4 } from '@seine/model';

/** What a connection must look like, before Envoy's own form. Empty lists = any. */
export interface L4Match {
  readonly serverNames: readonly string[];
  /** Address blocks, as the user wrote them; unreadable ones match nothing. */
  readonly subnets: readonly string[];
  /** ALPN of which the client must offer one. Absent = any. */
  readonly applicationProtocols?: readonly string[] | undefined;
}

export interface L4Chain {
  readonly match: L4Match;
  readonly filters: readonly Filter[];
  readonly metadata?: Metadata | undefined;
  /** TLS ended by the chain, and how long its handshake may take. */
  readonly tls?: { readonly transportSocket: TransportSocket; readonly connectTimeout: Duration } | undefined;
}

/** Whether the chain takes every connection. */
export function isCatchAll(match: L4Match): boolean {
  return match.serverNames.length === 0 && match.subnets.length === 0;
}

/**
 * Turns chains into Envoy's, the first winning where two would take the same connections: Envoy refuses a listener
 * in which two chains share a combination of server name and subnet.
 */
export function emitFilterChains(chains: readonly L4Chain[]): FilterChain[] {
  const taken = new Set<string>();
  return chains.flatMap(({ match, filters, metadata, tls }) => {
    const prefixes = uniqueCidrs(match.subnets);
    if (match.subnets.length > 0 && prefixes.length === 0) return [];
    const blocks = prefixes.length > 0 ? prefixes.map((p) => `${p.address}/${p.prefixLength}`) : [''];
    const names = match.serverNames.length > 0 ? [...new Set(match.serverNames.map((n) => n.toLowerCase()))] : [''];
    const free = names.filter((name) => blocks.every((block) => !taken.has(`${name}|${block}`)));
    if (free.length === 0) return [];
    for (const name of free) for (const block of blocks) taken.add(`${name}|${block}`);
    const serverNames = free.filter((name) => name !== '');
    return [
      create(FilterChainSchema, {
        filters: [...filters],
        ...(metadata && { metadata }),
        ...(tls && { transportSocket: tls.transportSocket, transportSocketConnectTimeout: tls.connectTimeout }),
        ...(serverNames.length + prefixes.length + (match.applicationProtocols?.length ?? 0) > 0 && {
          filterChainMatch: {
            serverNames,
            applicationProtocols: [...(match.applicationProtocols ?? [])],
            prefixRanges: prefixes.map(({ address, prefixLength }) => ({
              addressPrefix: address,
              prefixLen: prefixLength,
            })),
          },
        }),
      }),
    ];
  });
}

/** The blocks with host bits cleared, as Envoy compares them, each once. */
function uniqueCidrs(subnets: readonly string[]): readonly Cidr[] {
  const byText = new Map<string, Cidr>();
  for (const subnet of subnets) {
    const cidr = parseCidr(subnet);
    if (!cidr) continue;
    const bits = parseIpv4(cidr.address);
    const size = 2 ** (32 - cidr.prefixLength);
    const address = bits === undefined ? cidr.address.toLowerCase() : formatIpv4(Math.floor(bits / size) * size);
    byText.set(`${address}/${cidr.prefixLength}`, { address, prefixLength: cidr.prefixLength });
  }
  return [...byText.values()];
}

/** `istio.config`: the object a chain was made from, as Istio's tools expect it. */
export function objectMetadata({ apiVersion, kind, metadata }: ConfigObject): Metadata {
  const kebab = kind.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  const config = `/apis/${apiVersion}/namespaces/${metadata.namespace}/${kebab}/${metadata.name}`;
  return create(MetadataSchema, { filterMetadata: { istio: { config } } });
}
