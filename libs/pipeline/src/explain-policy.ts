import { type Decision, decideRules, inboundPorts, type PlannedPort, undeclaredPorts } from '@seine/compile';
import type { Diagnostic } from '@seine/diagnostics';
import type { AuthorizationPolicy, RateLimit } from '@seine/istio';
import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import { isHttp, type Mesh, type MeshConfig, type Proxy, type Workload } from '@seine/model';
import { buildMesh, findWorkload } from '@seine/registry';
import { proxyBeside, workloadNames } from './compile-proxy.js';
import { mixerDestination, mixerPolicyOf, policySourceOf } from './mixer-policy.js';
import { selectPolicies } from './policies.js';
import { sidecarOf } from './sidecars.js';

/** Where a policy is decided: in the proxy, in a service that it asks, in both, or nowhere as it is never about the workload. */
export type PolicyPlace = 'proxy' | 'service' | 'both' | 'never';

/** What becomes of one part of a policy at the workloads where the same becomes of it. */
export interface PolicyExplanation {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Of the policy: handler and instance, `local[0]`, an action. */
  readonly part: string;
  readonly place: PolicyPlace;
  /** The filter of Envoy that holds it. */
  readonly filter: string | undefined;
  /** Who is asked. */
  readonly service: string | undefined;
  /** Why it is not decided in the proxy alone, or not at all. */
  readonly why: readonly string[];
  /** `ratings-v1.default`, with ports where it differs between them: `ratings-v1.default:9080`. */
  readonly workloads: readonly string[];
}

type Found = Omit<PolicyExplanation, 'workloads'> & { readonly port?: number | undefined };

export interface ExplainPolicyInput {
  readonly objects: readonly ConfigObject[];
  /** As in CompileProxyInput; absent = all workloads. */
  readonly workload?: string | undefined;
  readonly config: MeshConfig;
}

export interface ExplainPolicyResult {
  /** Undefined: there is no such workload. */
  readonly explanations: readonly PolicyExplanation[] | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly workloads: readonly string[];
}

/** Tells of each policy where it is decided, and why there, if these objects are the whole mesh. */
export function explainPolicies({ objects, workload: wanted, config }: ExplainPolicyInput): ExplainPolicyResult {
  const byKey = new Map<ObjectKey, ConfigObject>(objects.map((object) => [objectKey(object), object]));
  const { mesh, diagnostics } = buildMesh(undefined, byKey, config);
  const workloads = workloadNames(mesh, objects);
  const asked = wanted === undefined ? workloads : [wanted];
  const found = asked.flatMap((text) => {
    const dot = text.lastIndexOf('.');
    const [name, namespace] = dot < 0 ? [text, 'default'] : [text.slice(0, dot), text.slice(dot + 1)];
    return findWorkload(mesh, byKey, name, namespace) ?? [];
  });
  if (wanted !== undefined && found.length === 0) return { explanations: undefined, diagnostics, workloads };
  return { explanations: joinWorkloads(mesh, [...new Set(found)]), diagnostics, workloads };
}

function joinWorkloads(mesh: Mesh, workloads: readonly Workload[]): readonly PolicyExplanation[] {
  const joined = new Map<string, { readonly found: Omit<Found, 'port'>; readonly workloads: Map<string, number[]> }>();
  for (const workload of workloads)
    for (const { port, ...found } of explainAt(mesh, workload)) {
      const key = JSON.stringify(found);
      const entry = joined.get(key) ?? { found, workloads: new Map<string, number[]>() };
      joined.set(key, entry);
      const name = `${workload.name}.${workload.namespace}`;
      entry.workloads.set(name, [...(entry.workloads.get(name) ?? []), ...(port === undefined ? [] : [port])]);
    }
  return [...joined.values()]
    .map(({ found, workloads: where }) => ({
      ...found,
      workloads: [...where].map(([name, ports]) => (ports.length === 0 ? name : `${name}:${ports.join(',')}`)),
    }))
    .sort((a, b) => compareText(sortKey(a), sortKey(b)));
}

const sortKey = ({ kind, namespace, name, part, place }: PolicyExplanation): string =>
  [kind, namespace, name, part, ['proxy', 'both', 'service', 'never'].indexOf(place)].join('\0');

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function explainAt(mesh: Mesh, workload: Workload): readonly Found[] {
  const proxy = proxyBeside(workload, mesh.config);
  const selected = (kind: string) => selectPolicies(mesh.resources.get(kind) ?? [], proxy, mesh.config.rootNamespace);
  return [
    ...(selected('AuthorizationPolicy') as readonly AuthorizationPolicy[]).map(explainAuthorization),
    ...selected('RequestAuthentication').map((policy) => inProxy(policy, 'tokens', 'jwt_authn')),
    ...(selected('RateLimit') as readonly RateLimit[]).flatMap(explainRateLimit),
    ...explainRules(mesh, proxy, workload),
  ];
}

function idOf({ kind, metadata: { namespace, name } }: ConfigObject) {
  return { kind, namespace, name };
}

function inProxy(policy: ConfigObject, part: string, filter: string): Found {
  return { ...idOf(policy), part, place: 'proxy', filter, service: undefined, why: [] };
}

function explainAuthorization(policy: AuthorizationPolicy): Found {
  const { action = 'ALLOW', provider } = policy.spec;
  if (action !== 'CUSTOM') return inProxy(policy, action, 'rbac');
  const why = ['CUSTOM asks its provider of what its rules are about'];
  return { ...idOf(policy), part: action, place: 'service', filter: 'ext_authz', service: provider?.name, why };
}

function explainRateLimit(policy: RateLimit): readonly Found[] {
  const { local = [], global = [], service } = policy.spec;
  return [
    ...local.map((_, i) => inProxy(policy, `local[${i}]`, 'local_ratelimit')),
    ...global.map((_, i): Found => ({
      ...idOf(policy),
      part: `global[${i}]`,
      place: 'service',
      filter: 'ratelimit',
      service: service?.host ?? 'mixer',
      why: ['it counts over all proxies'],
    })),
  ];
}

const places = { proxy: 'proxy', mixer: 'service', both: 'both', never: 'never' } as const;

function explainRules(mesh: Mesh, proxy: Proxy, workload: Workload): readonly Found[] {
  const source = policySourceOf(mesh);
  if (!source) return [];
  const { config } = mesh;
  const sidecar = sidecarOf(mesh, proxy);
  const destination = mixerDestination(proxy, workload, sidecar, mesh.services, config);
  const protocols = new Map(
    inboundPorts({ workload, sidecar, config }).map(({ targetPort, protocol }) => [targetPort, protocol]),
  );
  const off = mixerPolicyOf(mesh)
    ? proxy.type === 'router'
      ? 'gateways do not ask mixer'
      : undefined
    : 'disablePolicyChecks of the mesh config';
  const at = (port: PlannedPort, protocol: 'http' | 'tcp') =>
    decideRules(source, destination.workload, port, protocol, config.rootNamespace).map((decision) =>
      foundOf(decision, protocol, off),
    );
  const all = destination.ports.flatMap((port) => {
    const protocol = protocols.get(port.port) ?? 'auto';
    const found = [
      ...(protocol === 'auto' || isHttp(protocol) ? at(port, 'http') : []),
      ...(protocol === 'auto' || !isHttp(protocol) ? at(port, 'tcp') : []),
    ];
    return found.map((one) => ({ ...one, port: port.port }));
  });
  return withoutEqualPorts(all.length > 0 ? all : at(undeclaredPorts, 'http'));
}

function foundOf(decision: Decision, protocol: 'http' | 'tcp', off: string | undefined): Found {
  const [name = '', kind = '', namespace = ''] = decision.rule.split('.');
  const part = decision.handler === undefined ? 'headers' : `${decision.handler} ← ${decision.instance ?? ''}`;
  const id = { kind, namespace, name, part };
  if (off !== undefined) return { ...id, place: 'never', filter: undefined, service: undefined, why: [off] };
  const place = places[decision.where];
  const prefix = protocol === 'tcp' ? 'network ' : '';
  const filters = { proxy: 'rbac', service: 'ext_authz', both: 'rbac, ext_authz', never: undefined } as const;
  const filter = filters[place];
  return {
    ...id,
    place,
    filter: filter && prefix + filter,
    service: place === 'service' || place === 'both' ? 'mixer' : undefined,
    why: place === 'never' ? ['its match never holds there'] : decision.why,
  };
}

/** Ports are told where they matter: where the same becomes of a policy at all of a workload's, none is. */
function withoutEqualPorts(all: readonly Found[]): readonly Found[] {
  const ways = new Map<string, Set<string>>();
  const keyOf = ({ kind, namespace, name, part }: Found) => JSON.stringify([kind, namespace, name, part]);
  const wayOf = (found: Found) => JSON.stringify({ ...found, port: undefined });
  for (const found of all) ways.set(keyOf(found), (ways.get(keyOf(found)) ?? new Set()).add(wayOf(found)));
  const told = new Set<string>();
  return all.flatMap((found) => {
    if ((ways.get(keyOf(found))?.size ?? 0) > 1) return [found];
    if (told.has(keyOf(found))) return [];
    told.add(keyOf(found));
    return [{ ...found, port: undefined }];
  });
}
