import type { Diagnostic } from '@seine/diagnostics';
import type { JsonSchema } from '@seine/k8s';
import { fieldSchema, isFields } from '../rules/fields.js';
import { childPath } from '../validation/field-path.js';

/**
 * The fields of MeshConfig that something in Seine reads. A whole message stands for all that is in it. Whoever acts on
 * another field adds its path here, and the message that it has no effect is gone.
 */
const actedOn: readonly string[] = [
  'accessLogEncoding',
  'accessLogFile',
  'accessLogFormat',
  'connectTimeout',
  'defaultConfig.concurrency',
  'defaultConfig.drainDuration',
  'defaultConfig.extraStatTags',
  'defaultConfig.gatewayTopology.forwardClientCertDetails',
  'defaultConfig.gatewayTopology.numTrustedProxies',
  'defaultConfig.meshId',
  'defaultConfig.proxyMetadata',
  'defaultConfig.proxyStatsMatcher',
  'defaultConfig.runtimeValues',
  'defaultConfig.serviceCluster',
  'defaultConfig.statsdUdpAddress',
  'defaultConfig.tracing.customTags',
  'defaultConfig.tracing.datadog',
  'defaultConfig.tracing.enableIstioTags',
  'defaultConfig.tracing.maxPathTagLength',
  'defaultConfig.tracing.sampling',
  'defaultConfig.tracing.zipkin',
  'defaultConfig.tracingServiceName',
  'defaultDestinationRuleExportTo',
  'defaultHttpRetryPolicy',
  'defaultProviders',
  'defaultServiceExportTo',
  'defaultTrafficPolicy',
  'defaultVirtualServiceExportTo',
  'disableEnvoyListenerLog',
  'disablePolicyChecks',
  'dnsRefreshRate',
  'enableAutoMtls',
  'enableTracing',
  'extensionProviders',
  'h2UpgradePolicy',
  'localityLbSetting',
  'meshMTLS.cipherSuites',
  'meshMTLS.minProtocolVersion',
  'outboundTrafficPolicy.mode',
  'pathNormalization',
  'policyCheckFailOpen',
  'protocolDetectionTimeout',
  'proxyInboundListenPort',
  'proxyListenPort',
  'rootNamespace',
  'tcpKeepalive',
  'tlsDefaults.cipherSuites',
  'tlsDefaults.ecdhCurves',
  'trustDomain',
  'trustDomainAliases',
  'zoneAwareLbSetting',
];

/**
 * Fields that are for others than the control plane and therefore harm nobody who writes them: the agent, the
 * installer, or proxies of Istio's own.
 */
const ofOthers: readonly string[] = [
  'configSources',
  'defaultConfig.binaryPath',
  'defaultConfig.configPath',
  'defaultConfig.controlPlaneAuthPolicy',
  'defaultConfig.discoveryAddress',
  'defaultConfig.image',
  'defaultConfig.statNameLength',
  'enablePrometheusMerge',
];

type Node = Map<string, Node>;

function tree(paths: readonly string[]): Node {
  const root: Node = new Map();
  for (const path of paths) {
    let node = root;
    for (const step of path.split('.')) {
      let next = node.get(step);
      if (!next) node.set(step, (next = new Map<string, Node>()));
      node = next;
    }
  }
  return root;
}

const known = tree([...actedOn, ...ofOthers]);

function walk(value: unknown, schema: JsonSchema, node: Node, path: string, found: Diagnostic[]): void {
  if (!isFields(value)) return;
  for (const [field, child] of Object.entries(value)) {
    const below = node.get(field);
    const at = childPath(path, field);
    const childSchema = fieldSchema(schema, field);
    // Of fields that do not exist, validation has told.
    if (!childSchema) continue;
    if (!below) {
      const message = 'Seine does not act on this field of the mesh config yet: it has no effect.';
      found.push({ severity: 'warning', code: 'SEINE-UNSUPPORTED', message, path: at });
    } else if (below.size > 0) walk(child, childSchema, below, at, found);
  }
}

/** Which of the fields that are set have no effect. @param path of the value itself */
export function withoutEffect(value: unknown, schema: JsonSchema, path: string): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  walk(value, schema, known, path, found);
  return found;
}
