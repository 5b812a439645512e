/** The settings of the whole mesh that shape compilation: the part of Istio's MeshConfig that Seine acts on. Durations in milliseconds. */
export interface MeshConfig {
  readonly rootNamespace: string;
  readonly trustDomain: string;
  readonly clusterDomain: string;
  readonly outboundTrafficPolicy: 'ALLOW_ANY' | 'REGISTRY_ONLY';
  readonly connectTimeout: number;
  /** 0 = wait for ever. */
  readonly protocolDetectionTimeout: number;
  readonly accessLogFile: string;
  readonly proxyListenPort: number;
  readonly proxyInboundListenPort: number;
  readonly proxyHttpPort: number;
  readonly defaultHttpRetryAttempts: number;
}

export const defaultMeshConfig: MeshConfig = Object.freeze({
  rootNamespace: 'istio-system',
  trustDomain: 'cluster.local',
  clusterDomain: 'cluster.local',
  outboundTrafficPolicy: 'ALLOW_ANY',
  connectTimeout: 10_000,
  protocolDetectionTimeout: 0,
  accessLogFile: '',
  proxyListenPort: 15001,
  proxyInboundListenPort: 15006,
  proxyHttpPort: 15007,
  defaultHttpRetryAttempts: 2,
});
