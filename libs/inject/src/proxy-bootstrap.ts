import { type BootstrapNode, proxyEnvironment, renderBootstrap } from '@seine/bootstrap';
import { toEnvoyJson } from '@seine/envoy';
import { BootstrapSchema } from '@seine/envoy/envoy/config/bootstrap/v3/bootstrap_pb.js';
import type { ProxySettings } from '@seine/istio';
import { healthStats, renderAppHealth } from './app-health.js';
import type { InjectionSettings } from './injection-settings.js';
import type { AppProbe } from './rewrite-probes.js';

/** What of a proxy is known when its pod is admitted. */
export interface ProxyPlan {
  readonly type: 'sidecar' | 'router';
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly workloadName: string;
  readonly interceptionMode: 'REDIRECT' | 'NONE';
  readonly appProbes: readonly AppProbe[];
  readonly proxySettings: ProxySettings;
}

/** What is known only when the pod has a place: kubelet puts it in where `$(NAME)` stands in arguments. */
const late = { podName: '@@POD_NAME@@', address: '@@INSTANCE_IP@@' } as const;

/** The folder in which the agent's socket is. */
export const socketFolder = '/var/run/secrets/workload-spiffe-uds';
const adminPort = 15_000;
const prometheusPort = 15_090;
export const readyPort = 15_021;

function nodeOf(plan: ProxyPlan, { clusterId, network, meshConfig, dnsCapture }: InjectionSettings): BootstrapNode {
  const { type, namespace, serviceAccount, labels, workloadName, interceptionMode, proxySettings } = plan;
  return {
    ...{ type, namespace, serviceAccount, labels, workloadName, interceptionMode, clusterId, network, dnsCapture },
    name: late.podName,
    ipAddresses: [late.address],
    dnsDomain: `${namespace}.svc.${meshConfig.clusterDomain}`,
    workloadCertificates: true,
    meshId: proxySettings.meshId ?? meshConfig.trustDomain,
  };
}

/** Envoy's bootstrap as an argument of its container. */
export function proxyBootstrap(plan: ProxyPlan, settings: InjectionSettings): string {
  const { discoveryAddress, pilotAccount, rootNamespace, meshConfig, statusPort } = settings;
  const address = plan.proxySettings.discoveryAddress ?? discoveryAddress;
  const colon = address.lastIndexOf(':');
  const bootstrap = renderBootstrap({
    settings: withHealthStats(plan),
    node: nodeOf(plan, settings),
    xds: {
      host: address.slice(0, colon),
      port: Number(address.slice(colon + 1)),
      identity: `spiffe://${meshConfig.trustDomain}/ns/${rootNamespace}/sa/${pilotAccount}`,
    },
    agentSocket: `${socketFolder}/socket`,
    admin: { port: adminPort },
    prometheusPort,
    readyPort,
    stats: 'istio',
  });
  const health = renderAppHealth({ probes: plan.appProbes, statusPort, address: late.address });
  bootstrap.staticResources?.listeners.push(...health.listeners);
  bootstrap.staticResources?.clusters.push(...health.clusters);
  return forKubelet(JSON.stringify(toEnvoyJson(BootstrapSchema, bootstrap)));
}

/** Envoy answers TCP and gRPC probes by how many members of a cluster it has counted as healthy: so it has to count. */
function withHealthStats({ proxySettings, appProbes }: ProxyPlan): ProxySettings {
  if (appProbes.every(({ probe }) => probe.httpGet)) return proxySettings;
  const { proxyStatsMatcher } = proxySettings;
  const inclusionRegexps = [...(proxyStatsMatcher?.inclusionRegexps ?? []), healthStats];
  return { ...proxySettings, proxyStatsMatcher: { ...proxyStatsMatcher, inclusionRegexps } };
}

/** kubelet reads `$(NAME)` in arguments as a variable, and `$$` as a dollar. */
function forKubelet(text: string): string {
  return text.replaceAll('$', '$$$$').replaceAll(/@@(\w+)@@/g, '$$($1)');
}

/** Variables by which the proxy names its workload in metrics and traces. */
export function proxyVariables(plan: ProxyPlan, settings: InjectionSettings): Readonly<Record<string, string>> {
  return { ...proxyEnvironment(nodeOf(plan, settings)), ...plan.proxySettings.proxyMetadata };
}
