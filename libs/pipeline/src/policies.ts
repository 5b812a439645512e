import { type ChainPolicies, type ChainRole, type MixerReports, noPolicies } from '@seine/compile';
import type {
  AuthorizationPolicy,
  RateLimit,
  RequestAuthentication,
  Telemetry,
  TrafficExtension,
  WasmPlugin,
} from '@seine/istio';
import type { ConfigObject } from '@seine/k8s';
import { internList, memo } from '@seine/memo';
import { labelsMatch, type Mesh, type MeshConfig, type Proxy } from '@seine/model';
import { selectKeySets } from './key-sets.js';
import { chainExtensions, type ExtensionResource } from './chain-extensions.js';
import { mixerReportsOf } from './mixer-reports.js';
import { providerClusters } from './provider-clusters.js';
import { tracedServiceName } from './traced-service-name.js';
import type { Services } from './visibility.js';

/** A resource that a policy is attached to. */
interface PolicyTargetReference {
  readonly kind: string;
  readonly name: string;
}

/** What the policies of every kind have to say whom they are for. */
export interface PolicySpec {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> | undefined } | undefined;
  readonly targetRef?: PolicyTargetReference | undefined;
  readonly targetRefs?: readonly PolicyTargetReference[] | undefined;
}

type Policy = ConfigObject & { readonly spec: PolicySpec };

/** The label that Gateway API's gateways carry on their workloads (GEP-1762). */
const gatewayNameLabel = 'gateway.networking.k8s.io/gateway-name';

/**
 * How closely a policy is tied to a proxy: 0 = to the mesh, 1 = to its namespace, 2 = to it by labels or target;
 * undefined = it is for others. A selector in the root namespace selects in all namespaces (Istio: Telemetry,
 * WasmPlugin, AuthorizationPolicy "workload selector").
 */
export function closeness(policy: Policy, proxy: Proxy, rootNamespace: string): 0 | 1 | 2 | undefined {
  const { metadata, spec } = policy;
  const inRoot = metadata.namespace === rootNamespace;
  if (!inRoot && metadata.namespace !== proxy.namespace) return undefined;
  const targets = [...(spec.targetRefs ?? []), ...(spec.targetRef ? [spec.targetRef] : [])];
  if (targets.length > 0) return targets.some((target) => isTarget(target, metadata.namespace, proxy)) ? 2 : undefined;
  const labels = spec.selector?.matchLabels;
  if (labels && Object.keys(labels).length > 0) return labelsMatch(labels, proxy.labels) ? 2 : undefined;
  return inRoot ? 0 : 1;
}

function isTarget({ kind, name }: PolicyTargetReference, namespace: string, proxy: Proxy): boolean {
  return kind === 'Gateway' && proxy.namespace === namespace && proxy.labels[gatewayNameLabel] === name;
}

/** The policies of one kind that are for a proxy, those of the mesh first and its own last; oldest first in each. */
export function selectPolicies<P extends ConfigObject>(
  all: readonly P[],
  proxy: Proxy,
  rootNamespace: string,
): readonly P[] {
  const ranked = all.flatMap((policy) => {
    const rank = closeness(policy as unknown as Policy, proxy, rootNamespace);
    return rank === undefined ? [] : [{ policy, rank }];
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ policy }) => policy);
}

const noneOfKind: readonly never[] = Object.freeze([]);

interface PolicyKinds {
  readonly AuthorizationPolicy: AuthorizationPolicy;
  readonly RateLimit: RateLimit;
  readonly RequestAuthentication: RequestAuthentication;
  readonly Telemetry: Telemetry;
  readonly TrafficExtension: TrafficExtension;
  readonly WasmPlugin: WasmPlugin;
}

/** The resources of a kind; one and the same list where there are none. */
function ofKind<K extends keyof PolicyKinds>(mesh: Mesh, kind: K): readonly PolicyKinds[K][] {
  return (mesh.resources.get(kind) ?? noneOfKind) as readonly PolicyKinds[K][];
}

const internTelemetry = internList();
const internSelected = internList();
const noExtensions: readonly never[] = Object.freeze([]);

/** The extensions of both kinds that select a proxy. */
const selectExtensions = memo(
  'selectExtensions',
  (
    proxy: Proxy,
    plugins: readonly WasmPlugin[],
    extensions: readonly TrafficExtension[],
    rootNamespace: string,
  ): readonly ExtensionResource[] =>
    internSelected([
      ...selectPolicies<ExtensionResource>(plugins, proxy, rootNamespace),
      ...selectPolicies<ExtensionResource>(extensions, proxy, rootNamespace),
    ]),
);

/** The extensions that run on one side of a proxy. */
export function extensionsOf(mesh: Mesh, proxy: Proxy, role: ChainRole): ChainPolicies['extensions'] {
  const plugins = ofKind(mesh, 'WasmPlugin');
  const extensions = ofKind(mesh, 'TrafficExtension');
  if (plugins.length + extensions.length === 0) return noExtensions;
  const selected = selectExtensions(proxy, plugins, extensions, mesh.config.rootNamespace);
  return chainExtensions(selected, mesh.wasmModules, role, proxy.lacksWasm ?? false);
}

const internRateLimits = internList();
const internAuthorization = internList();
const internRequestAuthentications = internList();

/** What is said of those who come in. */
type IncomingPolicies = Pick<
  ChainPolicies,
  'rateLimits' | 'authorization' | 'authorizationDiscovered' | 'requestAuthentications' | 'keySets'
>;

const incomingObject = memo(
  'incomingPolicies',
  (
    rateLimits: ChainPolicies['rateLimits'],
    authorization: ChainPolicies['authorization'],
    requestAuthentications: ChainPolicies['requestAuthentications'],
    keySets: ChainPolicies['keySets'],
  ): IncomingPolicies => Object.freeze({ rateLimits, authorization, requestAuthentications, keySets }),
);

/** The policies with the keys that they name: other keys that change are not theirs, and nothing is compiled for them. */
const withKeySets = memo(
  'withKeySets',
  (
    { rateLimits, authorization, requestAuthentications }: IncomingPolicies,
    all: NonNullable<Mesh['keySets']>,
  ): IncomingPolicies =>
    incomingObject(rateLimits, authorization, requestAuthentications, selectKeySets(requestAuthentications, all)),
);

/** Looked up once a proxy and change of one of these kinds; one object for all proxies that the same policies select. */
const selectIncoming = memo(
  'selectIncoming',
  (
    proxy: Proxy,
    rateLimits: readonly RateLimit[],
    authorization: readonly AuthorizationPolicy[],
    requestAuthentications: readonly RequestAuthentication[],
    rootNamespace: string,
  ): IncomingPolicies => {
    const limits = selectPolicies(rateLimits, proxy, rootNamespace);
    const rules = selectPolicies(authorization, proxy, rootNamespace);
    const tokens = selectPolicies(requestAuthentications, proxy, rootNamespace);
    if (limits.length + rules.length + tokens.length === 0) return noPolicies;
    return incomingObject(
      internRateLimits(limits),
      internAuthorization(rules),
      internRequestAuthentications(tokens),
      noPolicies.keySets,
    );
  },
);

function incomingPolicies(mesh: Mesh, proxy: Proxy): IncomingPolicies {
  const limits = ofKind(mesh, 'RateLimit');
  const rules = ofKind(mesh, 'AuthorizationPolicy');
  const tokens = ofKind(mesh, 'RequestAuthentication');
  if (limits.length + rules.length + tokens.length === 0) return noPolicies;
  const incoming = selectIncoming(proxy, limits, rules, tokens, mesh.config.rootNamespace);
  return mesh.keySets && incoming.requestAuthentications.length > 0 ? withKeySets(incoming, mesh.keySets) : incoming;
}

/**
 * The same for an Envoy that takes the rules as a resource of their own. It has the place for them from the start: with the
 * first rules its listeners would change, and connections that are there go on for a while as they began.
 */
const discovered = memo('authorizationDiscovered', (incoming: IncomingPolicies): IncomingPolicies =>
  Object.freeze({ ...incoming, authorizationDiscovered: true }),
);

const policiesObject = memo(
  'chainPolicies',
  (
    telemetry: ChainPolicies['telemetry'],
    extensions: ChainPolicies['extensions'],
    incoming: IncomingPolicies,
    clusters: ChainPolicies['providerClusters'],
    serviceName: string | undefined,
  ): ChainPolicies =>
    Object.freeze({
      telemetry,
      extensions,
      rateLimits: incoming.rateLimits,
      authorization: incoming.authorization,
      ...(incoming.authorizationDiscovered && { authorizationDiscovered: true }),
      requestAuthentications: incoming.requestAuthentications,
      keySets: incoming.keySets,
      providerClusters: clusters,
      serviceName,
    }),
);

/** Istio looks for the Telemetry of a workload in its own namespace only, besides that of the mesh. */
function selectTelemetry(all: readonly Telemetry[], proxy: Proxy, rootNamespace: string): readonly Telemetry[] {
  return selectPolicies(all, proxy, rootNamespace).filter(
    (telemetry) => telemetry.metadata.namespace === proxy.namespace || closeness(telemetry, proxy, rootNamespace) === 0,
  );
}

/** Looked up once a proxy and change of some policy. */
const policiesFor = memo(
  'policiesFor',
  (
    proxy: Proxy,
    telemetry: readonly Telemetry[],
    extensions: ChainPolicies['extensions'],
    incoming: IncomingPolicies,
    clusters: ChainPolicies['providerClusters'],
    config: MeshConfig,
  ): ChainPolicies => {
    const ours = internTelemetry(selectTelemetry(telemetry, proxy, config.rootNamespace));
    if (ours.length === 0 && extensions.length === 0 && incoming === noPolicies && !clusters) return noPolicies;
    return policiesObject(ours, extensions, incoming, clusters, clusters && tracedServiceName(ours, config, proxy));
  },
);

const withReports = memo('policiesWithReports', (policies: ChainPolicies, mixerReports: MixerReports): ChainPolicies =>
  Object.freeze({ ...policies, mixerReports }),
);

/**
 * The policies that select a proxy and concern one side of it: one object for all proxies that the same policies select.
 * @param services what the proxy sees, for providers that are services
 */
export function policiesOf(mesh: Mesh, proxy: Proxy, role: ChainRole, services: Services): ChainPolicies {
  const incoming = role === 'outbound' ? noPolicies : incomingPolicies(mesh, proxy);
  const policies = policiesFor(
    proxy,
    ofKind(mesh, 'Telemetry'),
    extensionsOf(mesh, proxy, role),
    role !== 'outbound' && proxy.hasFilterChain ? discovered(incoming) : incoming,
    providerClusters(services, mesh.config),
    mesh.config,
  );
  // Mixer is told only where the proxy sees it.
  const reports = policies.providerClusters && mixerReportsOf(mesh, proxy, role);
  return reports ? withReports(policies, reports) : policies;
}
