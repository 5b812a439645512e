import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import type { Node } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import {
  type InterceptionMode,
  isIpAddress,
  parseCidr,
  type Proxy,
  type ProxyType,
  type VerifiedIdentity,
} from '@seine/model';
import { parseAppPorts, parsePort } from './app-ports.js';
import { falseClaim } from './node-identity.js';
import { quote, text } from './node-text.js';

export type ParsedNode = { readonly proxy: Proxy } | UnfitNode;

export interface UnfitNode {
  readonly error: string;
  /** The node claims to be somebody whom its client has not proved to be. */
  readonly isFalse?: true;
}

/**
 * Reads the xDS node that a client introduces itself with (Istio: `ParseServiceNodeWithMetadata`): id
 * `type~ip~name.namespace~domain` and metadata. Never throws: whoever dials the port can send anything.
 * gRPC libraries (user agent `gRPC …`, or metadata GENERATOR=grpc) may have any id.
 * @param verified what the client has proved to be; a node that claims anything else is refused, and what it
 *   leaves out is taken from here
 * @returns the frozen proxy, or one sentence that says what is wrong
 */
export function parseNode(node: Node | undefined, verified?: VerifiedIdentity): ParsedNode {
  if (!node || node.id === '') return { error: 'node.id is missing; expected type~ip~name.namespace~domain' };
  const claim = verified && falseClaim(node, verified);
  if (claim !== undefined) return { error: claim, isFalse: true };
  const metadata = node.metadata ?? {};
  const proxyless = text(metadata, 'GENERATOR') === 'grpc' || node.userAgentName.startsWith('gRPC');
  const identity = parseId(node.id);
  if (typeof identity === 'string')
    return proxyless ? build(node, metadata, anonymous(node.id), verified) : { error: identity };
  return build(node, metadata, { ...identity, proxyless }, verified);
}

interface Identity {
  readonly type: ProxyType;
  readonly ip: string;
  readonly instance: string;
  readonly domain: string;
  readonly proxyless: boolean;
}

function anonymous(id: string): Identity {
  return { type: 'sidecar', ip: '', instance: id, domain: '', proxyless: true };
}

/** @returns the parts of the id, or what is wrong with it */
function parseId(id: string): Omit<Identity, 'proxyless'> | string {
  const parts = id.split('~');
  const [type = '', ip = '', instance = '', domain = ''] = parts;
  if (parts.length !== 4) return `node.id ${quote(id)} is malformed; expected type~ip~name.namespace~domain`;
  if (type !== 'sidecar' && type !== 'router')
    return `node.id ${quote(id)} has the unknown type ${quote(type)}; expected sidecar or router`;
  if (instance === '') return `node.id ${quote(id)} has no name; expected type~ip~name.namespace~domain`;
  if (ip !== '' && !isIpAddress(ip)) return `node.id ${quote(id)} holds ${quote(ip)}, which is no IP address`;
  return { type, ip, instance, domain };
}

function build(node: Node, metadata: JsonObject, identity: Identity, verified?: VerifiedIdentity): ParsedNode {
  const named = nameOf(metadata, identity, verified?.namespace);
  const ipAddresses = addressesOf(metadata, identity);
  if (ipAddresses.length === 0 && !identity.proxyless)
    return { error: `node ${quote(node.id)} has no IP address, neither in its id nor in metadata INSTANCE_IPS` };
  const bound = boundPartsOf(node.id, metadata);
  if ('error' in bound) return bound;
  const labels = Object.freeze(stringsOf(metadata['LABELS']));
  return {
    proxy: Object.freeze({
      id: node.id,
      type: identity.type,
      ...named,
      ipAddresses: Object.freeze(ipAddresses),
      dnsDomain: identity.domain || `${named.namespace}.svc.cluster.local`,
      labels,
      workloadName: text(metadata, 'WORKLOAD_NAME') || named.name,
      serviceAccount: verified?.serviceAccount ?? text(metadata, 'SERVICE_ACCOUNT'),
      locality: Object.freeze({
        region: node.locality?.region ?? '',
        zone: node.locality?.zone ?? '',
        subzone: node.locality?.subZone ?? '',
      }),
      network: text(metadata, 'NETWORK'),
      nodeName: text(metadata, 'NODE_NAME'),
      clusterId: text(metadata, 'CLUSTER_ID'),
      metadata: Object.freeze(stringsOf(metadata)),
      envoyVersion: versionOf(node),
      proxyless: identity.proxyless,
      workloadCertificates: text(metadata, 'SEINE_WORKLOAD_SDS') === 'true',
      dnsCapture: text(metadata, 'DNS_CAPTURE') === 'true',
      lacksWasm: lacksWasm(node),
      hasFilterChain: hasExtension(node, 'envoy.filters.http.filter_chain'),
      ...(verified && { verifiedIdentity: Object.freeze({ ...verified }) }),
      ...bound,
    }),
  };
}

/** NAME and NAMESPACE where the metadata has them, as a pod's name may hold dots; else the id up to its last dot. */
function nameOf(
  metadata: JsonObject,
  { instance, domain, proxyless }: Identity,
  verifiedNamespace: string | undefined,
): { name: string; namespace: string } {
  const dot = proxyless && domain === '' ? -1 : instance.lastIndexOf('.');
  const idNamespace = dot < 0 ? (domain.split('.')[0] ?? '') : instance.slice(dot + 1);
  const namespace = verifiedNamespace ?? (text(metadata, 'NAMESPACE') || idNamespace || 'default');
  return { name: text(metadata, 'NAME') || (dot < 0 ? instance : instance.slice(0, dot)), namespace };
}

function addressesOf(metadata: JsonObject, { ip }: Identity): string[] {
  const listed = text(metadata, 'INSTANCE_IPS')
    .split(',')
    .map((address) => address.trim())
    .filter((address) => isIpAddress(address));
  if (listed.length > 0) return [...new Set(listed)];
  return ip === '' ? [] : [ip];
}

type BoundParts = Pick<Proxy, 'interceptionMode' | 'httpProxyPort' | 'appPorts' | 'outboundCidr'>;

/** What says how traffic reaches the sidecar. A wrong value here would misdirect traffic, so it is refused. */
function boundPartsOf(id: string, metadata: JsonObject): BoundParts | { readonly error: string } {
  const refuse = (key: string, wanted: string) => ({
    error: `node ${quote(id)} has ${key} ${quote(text(metadata, key))}; expected ${wanted}`,
  });
  const mode = text(metadata, 'INTERCEPTION_MODE') || 'REDIRECT';
  if (!isInterceptionMode(mode)) return refuse('INTERCEPTION_MODE', 'REDIRECT, TPROXY or NONE');
  const httpProxy = text(metadata, 'HTTP_PROXY_PORT') || '0';
  const httpProxyPort = httpProxy === '0' ? 0 : parsePort(httpProxy);
  if (httpProxyPort === undefined) return refuse('HTTP_PROXY_PORT', 'a port from 1 to 65535, or 0 for none');
  const appPorts = parseAppPorts(text(metadata, 'SEINE_APP_PORTS'));
  if (!appPorts) return refuse('SEINE_APP_PORTS', 'pairs such as 9080=19080,9443=19443');
  const outboundCidr = text(metadata, 'SEINE_OUTBOUND_CIDR');
  if (outboundCidr !== '' && !parseCidr(outboundCidr))
    return refuse('SEINE_OUTBOUND_CIDR', 'a block such as 127.4.7.0/24');
  return { interceptionMode: mode, httpProxyPort, appPorts, outboundCidr };
}

function isInterceptionMode(mode: string): mode is InterceptionMode {
  return mode === 'REDIRECT' || mode === 'TPROXY' || mode === 'NONE';
}

/** Empty for what is no Envoy: only Envoy's versions decide what may be sent. */
function versionOf(node: Node): string {
  if (node.userAgentName !== 'envoy') return '';
  const { case: kind, value } = node.userAgentVersionType;
  if (kind === 'userAgentVersion') return /^\d+\.\d+\.\d+/.exec(value)?.[0] ?? '';
  const version = kind === 'userAgentBuildVersion' ? value.version : undefined;
  return version ? `${version.majorNumber}.${version.minorNumber}.${version.patch}` : '';
}

const wasmRuntime = 'envoy.wasm.runtime.v8';

/** Whether an Envoy has said what it is made of, and cannot run WebAssembly. */
function lacksWasm(node: Node): boolean {
  return node.extensions.length > 0 && !hasExtension(node, wasmRuntime);
}

function hasExtension({ extensions }: Node, wanted: string): boolean {
  return extensions.some(({ name, disabled }) => name === wanted && !disabled);
}

function stringsOf(value: JsonValue | undefined): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).filter((e): e is [string, string] => typeof e[1] === 'string'));
}
