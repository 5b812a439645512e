import type { Diagnostic } from '@seine/diagnostics';
import {
  type ExtensionProvider,
  type MeshConfigSpec,
  parseDuration,
  type ReadMeshConfig,
  readMeshConfig,
  validateMeshConfig,
} from '@seine/istio';
import { defaultMeshConfig, type MeshConfig } from './mesh-config.js';

/** Fields that the model holds as they are written. */
const asWritten = [
  'accessLogEncoding',
  'accessLogFile',
  'accessLogFormat',
  'defaultDestinationRuleExportTo',
  'defaultServiceExportTo',
  'defaultTrafficPolicy',
  'defaultVirtualServiceExportTo',
  'disableEnvoyListenerLog',
  'disablePolicyChecks',
  'discoverySelectors',
  'enableAutoMtls',
  'enableTracing',
  'h2UpgradePolicy',
  'inboundClusterStatName',
  'ingressClass',
  'ingressControllerMode',
  'ingressSelector',
  'ingressService',
  'localityLbSetting',
  'meshMTLS',
  'outboundClusterStatName',
  'policyCheckFailOpen',
  'proxyHttpPort',
  'proxyInboundListenPort',
  'proxyListenPort',
  'rootNamespace',
  'serviceSettings',
  'tcpKeepalive',
  'tlsDefaults',
  'trustDomain',
  'trustDomainAliases',
  'verifyCertificateAtClient',
  'zoneAwareLbSetting',
] as const;

/** Settings that must not be empty: then the default counts, as for all fields of a proto message. */
const neverEmpty: ReadonlySet<string> = new Set([
  'rootNamespace',
  'trustDomain',
  'proxyListenPort',
  'proxyInboundListenPort',
]);

function copied(spec: MeshConfigSpec): Partial<MeshConfig> {
  return Object.fromEntries(
    asWritten
      .map((field) => [field, spec[field]] as const)
      .filter(([field, value]) => value !== undefined && !(neverEmpty.has(field) && !value)),
  );
}

type DurationField = 'connectTimeout' | 'protocolDetectionTimeout' | 'dnsRefreshRate';

function milliseconds(field: DurationField, text: string | undefined): Partial<MeshConfig> {
  const value = text === undefined ? undefined : parseDuration(text);
  return value === undefined ? {} : { [field]: value };
}

/** Providers of one name are one: what is written later replaces the kind. */
function mergeProviders(
  before: readonly ExtensionProvider[],
  after: readonly ExtensionProvider[] = [],
): readonly ExtensionProvider[] {
  const merged = new Map(before.map((provider) => [provider.name, provider]));
  for (const provider of after) merged.set(provider.name, provider);
  return [...merged.values()];
}

/**
 * A mesh config with what a MeshConfig says: fields that are set replace those of `base`; `defaultConfig`,
 * `defaultProviders` and `extensionProviders` are merged, as Istio does.
 */
export function applyMeshConfig(base: MeshConfig, spec: MeshConfigSpec): MeshConfig {
  const { outboundTrafficPolicy, inboundTrafficPolicy, pathNormalization, defaultHttpRetryPolicy } = spec;
  return Object.freeze({
    ...base,
    ...copied(spec),
    ...milliseconds('connectTimeout', spec.connectTimeout),
    ...milliseconds('protocolDetectionTimeout', spec.protocolDetectionTimeout),
    ...milliseconds('dnsRefreshRate', spec.dnsRefreshRate),
    ...(outboundTrafficPolicy && {
      // A message without mode has proto's zero value.
      outboundTrafficPolicy:
        (outboundTrafficPolicy.mode ?? 'REGISTRY_ONLY') === 'REGISTRY_ONLY' ? 'REGISTRY_ONLY' : 'ALLOW_ANY',
    }),
    ...(inboundTrafficPolicy?.mode && { inboundTrafficPolicy: inboundTrafficPolicy.mode }),
    ...(pathNormalization?.normalization && { pathNormalization: pathNormalization.normalization }),
    ...(defaultHttpRetryPolicy && {
      defaultHttpRetryPolicy,
      ...(defaultHttpRetryPolicy.attempts !== undefined && {
        defaultHttpRetryAttempts: defaultHttpRetryPolicy.attempts,
      }),
    }),
    ...(spec.defaultProviders && { defaultProviders: { ...base.defaultProviders, ...spec.defaultProviders } }),
    ...(spec.extensionProviders && {
      extensionProviders: mergeProviders(base.extensionProviders, spec.extensionProviders),
    }),
    ...(spec.defaultConfig && { defaultConfig: { ...base.defaultConfig, ...spec.defaultConfig } }),
  });
}

export interface ParsedMeshConfig {
  /** `base` itself where there are errors. */
  readonly config: MeshConfig;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads Istio's MeshConfig (`/etc/istio/config/mesh`, key `mesh` of the ConfigMap `istio`) on top of `base`. Never throws.
 * @param input YAML or JSON text, or what it parses to
 */
export function parseMeshConfig(input: unknown, base: MeshConfig = defaultMeshConfig): ParsedMeshConfig {
  return withSpec(base, typeof input === 'string' ? readMeshConfig(input) : validateMeshConfig(input));
}

/** What was read of a MeshConfig on top of `base`. */
export function withSpec(base: MeshConfig, { spec, diagnostics }: ReadMeshConfig): ParsedMeshConfig {
  return { config: spec ? applyMeshConfig(base, spec) : base, diagnostics };
}
