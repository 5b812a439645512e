import {
  attributesOfRules,
  type ChainPolicies,
  declaredPort,
  destinationKey,
  type InboundMixer,
  inboundPorts,
  type MixerDestination,
  planInbound,
  type PolicySource,
  rulesFor,
  workloadConstants,
} from '@seine/compile';
import { parseDuration, type Sidecar } from '@seine/istio';
import type { ConfigObject } from '@seine/k8s';
import { internByKey, memo } from '@seine/memo';
import { compilePolicy, type MixerPolicy, type PolicyObjects, policyObjectsOf } from '@seine/mixer';
import type { Mesh, MeshConfig, Proxy, Workload } from '@seine/model';
import type { Services } from './visibility.js';

/** What was in force before: where an edit cannot be compiled, that stays. By mesh, as a process may have several. */
const lastGood = new WeakMap<MeshConfig, MixerPolicy>();

const policySource = memo('mixerPolicy', (objects: PolicyObjects, config: MeshConfig): PolicySource => {
  const policy = compilePolicy(objects, { clusterDomain: config.clusterDomain, previous: lastGood.get(config) });
  lastGood.set(config, policy);
  const byRef = new Map(objects.map((object) => [refKey(object.kind, object.metadata), object]));
  return Object.freeze({
    policy,
    valueOf: ({ object }) => valueText(byRef.get(refKey(object.kind, object))),
  } satisfies PolicySource);
});

function refKey(
  kind: string,
  { namespace = '', name }: { readonly namespace?: string | undefined; readonly name: string },
) {
  return `${kind}/${namespace}/${name}`;
}

/** The expression of a listentry's value. */
function valueText(object: ConfigObject | undefined): string | undefined {
  const spec = (object?.spec ?? {}) as { readonly params?: { readonly value?: unknown }; readonly value?: unknown };
  const value = object?.kind === 'instance' ? spec.params?.value : spec.value;
  return typeof value === 'string' ? value : undefined;
}

/** The policy of a mesh; undefined where it has no objects of mixer's. */
export function policySourceOf(mesh: Mesh): PolicySource | undefined {
  const objects = policyObjectsOf(mesh.resources);
  return objects.length === 0 ? undefined : policySource(objects, mesh.config);
}

/** Likewise, where checks are on. */
export function mixerPolicyOf(mesh: Mesh): PolicySource | undefined {
  return mesh.config.disablePolicyChecks ? undefined : policySourceOf(mesh);
}

const rulesRead = memo('mixerAttributes', (source: PolicySource, namespace: string, rootNamespace: string) =>
  attributesOfRules(source, namespace, rootNamespace),
);

type Plans = NonNullable<ReturnType<typeof planInbound>>;
const manyPlans = 20_000;
const nothing = Object.freeze({});

/** Plans by policy: workloads between which no rule makes a difference share one. */
const planTables = new WeakMap<PolicySource, ReturnType<typeof internByKey<Plans | typeof nothing>>>();

function planOf(source: PolicySource, destination: MixerDestination, rootNamespace: string): Plans | undefined {
  let table = planTables.get(source);
  if (!table) planTables.set(source, (table = internByKey<Plans | typeof nothing>(manyPlans)));
  const read = rulesRead(source, destination.workload.namespace, rootNamespace);
  const plan = table(
    destinationKey(destination, read),
    () => planInbound(source, destination, rootNamespace) ?? nothing,
  );
  return plan === nothing ? undefined : (plan as Plans);
}

/** What rules may look at of a workload. */
export function mixerDestination(
  proxy: Proxy,
  workload: Workload | undefined,
  sidecar: Sidecar | undefined,
  services: Services,
  config: MeshConfig,
): MixerDestination {
  // Of a port that no service declares mixer takes the workload's first, where it knows the workload by its name.
  const fallback = proxy.interceptionMode === 'NONE' ? (workload?.inbound[0]?.serviceHost ?? '') : '';
  const ports = inboundPorts({ workload, sidecar, config }).map(({ targetPort, serviceHost }) => {
    const host = serviceHost || fallback;
    return declaredPort(targetPort, host, services.get(host));
  });
  return {
    workload: {
      namespace: proxy.namespace,
      constants: workload ? workloadConstants(workload) : new Map(),
      foreignCertificates: (sidecar?.spec.ingress ?? []).some(({ tls }) => tls !== undefined),
    },
    ports,
  };
}

const defaultTimeoutMs = 1000;
/** What Envoy waits longer than mixer, which waits for its adapters. */
const graceMs = 100;

/** Metadata of a proxy: how long it waits for mixer; in `defaultConfig.proxyMetadata`, of all proxies. */
const timeoutKey = 'policy.seine.dev/check-timeout';
/** Likewise, as Istio up to 1.4 had it: `disable`, `enable`, or `allow-on-error`. */
const checkKey = 'policy.istio.io/check';

function settingOf(key: string, proxy: Proxy, { defaultConfig }: MeshConfig): string | undefined {
  return proxy.metadata?.[key] ?? defaultConfig.proxyMetadata?.[key];
}

/** No less than mixer waits for the adapters of the rules that are for the proxy. */
function timeoutOf({ policy }: PolicySource, proxy: Proxy, config: MeshConfig): number {
  const written = settingOf(timeoutKey, proxy, config);
  const own = written === undefined ? undefined : parseDuration(written);
  if (own !== undefined && own > 0) return own;
  const rules = rulesFor(policy.rules, proxy.namespace, config.rootNamespace);
  return Math.max(defaultTimeoutMs, ...rules.map(({ timeoutMs = 0 }) => timeoutMs + graceMs));
}

const internMixer = internByKey<InboundMixer>(manyPlans);

/** What mixer's rules come to at a workload, on the side of who is called: the same object as long as it is the same. */
const inboundMixer = memo(
  'inboundMixer',
  (
    source: PolicySource,
    proxy: Proxy,
    workload: Workload | undefined,
    sidecar: Sidecar | undefined,
    services: Services,
    config: MeshConfig,
  ): InboundMixer | undefined => {
    const check = settingOf(checkKey, proxy, config);
    if (check === 'disable') return undefined;
    const plans = planOf(source, mixerDestination(proxy, workload, sidecar, services, config), config.rootNamespace);
    if (!plans) return undefined;
    const mixer = {
      ...plans,
      timeoutMs: timeoutOf(source, proxy, config),
      failOpen: check === 'allow-on-error' || (config.policyCheckFailOpen ?? false),
      // Where several share an address, as on one machine.
      workload: proxy.interceptionMode === 'NONE' ? `${proxy.namespace}/${proxy.name}` : undefined,
    };
    return internMixer(JSON.stringify({ ...mixer, ports: [...mixer.ports] }), () => Object.freeze(mixer));
  },
);

const withMixer = memo('policiesWithMixer', (policies: ChainPolicies, mixer: InboundMixer): ChainPolicies =>
  Object.freeze({ ...policies, mixer }),
);

/** What mixer's rules come to at a workload; undefined = nothing. */
export function inboundMixerOf(
  mesh: Mesh,
  proxy: Proxy,
  workload: Workload | undefined,
  sidecar: Sidecar | undefined,
): InboundMixer | undefined {
  const source = mixerPolicyOf(mesh);
  return source && inboundMixer(source, proxy, workload, sidecar, mesh.services, mesh.config);
}

/** The policies of a sidecar's inbound side with what mixer's rules come to there; the same policies where that is nothing. */
export function withMixerPolicy(
  policies: ChainPolicies,
  mesh: Mesh,
  proxy: Proxy,
  workload: Workload | undefined,
  sidecar: Sidecar | undefined,
): ChainPolicies {
  const mixer = inboundMixerOf(mesh, proxy, workload, sidecar);
  return mixer ? withMixer(policies, mixer) : policies;
}
