import { authorizationProblems, mtlsModeOf } from '@seine/compile';
import type { Diagnostic } from '@seine/diagnostics';
import type { AuthorizationPolicy } from '@seine/istio';
import { memo } from '@seine/memo';
import { isHttp, labelsMatch, type Mesh, type Proxy, type Workload } from '@seine/model';
import { peerAuthenticationOf } from './peer-authentication.js';
import { policiesOf } from './policies.js';
import { scopeOf, withoutEndpoints } from './scope.js';

const none: readonly never[] = Object.freeze([]);

function allOf({ resources }: Mesh): readonly AuthorizationPolicy[] {
  return (resources.get('AuthorizationPolicy') ?? none) as readonly AuthorizationPolicy[];
}

/** Whether some port of a sidecar takes plain text. A gateway's callers are outside, and known by other means. */
function takesPlainText(mesh: Mesh, proxy: Proxy, ports: readonly number[]): boolean {
  if (proxy.type !== 'sidecar') return false;
  const modes = peerAuthenticationOf(mesh, proxy);
  if (!modes) return true;
  return modes.mode !== 'STRICT' || ports.some((port) => mtlsModeOf(modes, port) !== 'STRICT');
}

function problemsOfProxy(mesh: Mesh, proxy: Proxy, workload: Workload | undefined): readonly Diagnostic[] {
  const { services } = scopeOf(withoutEndpoints(mesh), proxy);
  const role = proxy.type === 'router' ? 'gateway' : 'inbound';
  const { authorization, providerClusters } = policiesOf(mesh, proxy, role, services);
  if (authorization.length === 0) return none;
  const inbound = workload?.inbound ?? [];
  const ports = inbound.map(({ targetPort }) => targetPort);
  const tcpPorts = inbound.filter(({ protocol }) => protocol !== 'auto' && !isHttp(protocol));
  return authorizationProblems(
    authorization,
    {
      name: `${proxy.namespace}/${proxy.name}`,
      tcpPorts: [...new Set(tcpPorts.map(({ targetPort }) => targetPort))],
      takesPlainText: takesPlainText(mesh, proxy, ports),
    },
    { config: mesh.config, providerClusters },
  );
}

function selectsNone({ metadata, spec }: AuthorizationPolicy, mesh: Mesh): boolean {
  const labels = spec.selector?.matchLabels;
  if (!labels || Object.keys(labels).length === 0) return false;
  const everywhere = metadata.namespace === mesh.config.rootNamespace;
  for (const workload of mesh.workloads.values())
    if ((everywhere || workload.namespace === metadata.namespace) && labelsMatch(labels, workload.labels)) return false;
  return true;
}

/** Policies for workloads that are not there, and for what only waypoints of Istio's ambient mode act on. */
const withoutWorkload = memo('authorizationWithoutWorkload', (mesh: Mesh): readonly Diagnostic[] =>
  allOf(mesh).flatMap((policy) => {
    const { kind, metadata, spec } = policy;
    const found = (path: string, message: string): Diagnostic => ({
      severity: 'warning',
      code: 'SEINE-AUTHZ-TARGET',
      message,
      object: { kind, namespace: metadata.namespace, name: metadata.name },
      path,
    });
    const others = (spec.targetRefs ?? []).filter((target) => target.kind !== 'Gateway');
    return [
      ...(selectsNone(policy, mesh)
        ? [
            found(
              'spec.selector.matchLabels',
              `No workload${metadata.namespace === mesh.config.rootNamespace ? '' : ` of namespace ${metadata.namespace}`} has these labels: nobody holds the policy.`,
            ),
          ]
        : []),
      ...others.map((target) =>
        found(
          'spec.targetRefs',
          `A policy for the ${target.kind} ${target.name} is for a waypoint, and there are none: nobody holds it. Select workloads by labels with spec.selector.`,
        ),
      ),
    ];
  }),
);

/** What of AuthorizationPolicies is not as their authors may think; of several workloads the first is named. */
export function authorizationDiagnostics(
  mesh: Mesh,
  proxies: readonly Proxy[],
  workload: (proxy: Proxy) => Workload | undefined,
): readonly Diagnostic[] {
  if (allOf(mesh).length === 0) return none;
  const found = proxies.flatMap((proxy) => problemsOfProxy(mesh, proxy, workload(proxy)));
  const byPlace = new Map<string, Diagnostic>();
  for (const problem of [...found, ...withoutWorkload(mesh)]) {
    const { code, object, path } = problem;
    const place = [code, object?.namespace, object?.name, path].join(' ');
    if (!byPlace.has(place)) byPlace.set(place, problem);
  }
  return [...byPlace.values()];
}
