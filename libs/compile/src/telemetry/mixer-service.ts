import { fullyQualify, type MeshConfig } from '@seine/model';
import { outboundClusterName } from '../frame/cluster-names.js';

/** The Service by which proxies find mixer, in the root namespace. */
const mixerName = 'mixer';
/** Where it speaks gRPC; the Service names this port `grpc`. */
const mixerPort = 9091;

/** Mixer as proxies reach it. `host` is the authority of calls, as cluster names are none that servers take. */
export interface MixerService {
  readonly host: string;
  readonly port: number;
  readonly cluster: string;
}

/**
 * What mixer is called in a mesh, whether or not it has one. Filters that only fail with their cluster may name it as it is;
 * access loggers and tracers may not, as Envoy refuses them: `ChainPolicies.providerClusters` has the key
 * `providerKey(mixerProvider(config))` where a proxy sees it.
 */
export function mixerService({
  rootNamespace,
  clusterDomain,
}: Pick<MeshConfig, 'rootNamespace' | 'clusterDomain'>): MixerService {
  const host = fullyQualify(mixerName, rootNamespace, clusterDomain);
  return { host, port: mixerPort, cluster: outboundClusterName(mixerPort, undefined, host) };
}

/** The same as providers name services: for the built-in providers that lead to mixer. */
export function mixerProvider(config: MeshConfig): { readonly service: string; readonly port: number } {
  const { host, port } = mixerService(config);
  return { service: host, port };
}

/** Whether a provider is the built-in one that leads to mixer; names are compared without case, as Istio does. */
export function isMixer(provider: string): boolean {
  return provider.toLowerCase() === mixerName;
}
