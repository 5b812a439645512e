import type { Diagnostic } from '@seine/diagnostics';
import type { AuthorizationPolicy, Rule, Source } from '@seine/istio';
import type { MeshConfig } from '@seine/model';
import { findProvider, type ProviderClusters, providerKey } from '../../telemetry/providers.js';
import { concernsHttp } from './rule.js';

/** What is known of a workload that policies select. */
export interface AuthorizedWorkload {
  /** `default/reviews-v1`, as problems name it. */
  readonly name: string;
  /** Ports on which no HTTP is spoken. */
  readonly tcpPorts: readonly number[];
  /** Whether plain text may come in too. */
  readonly takesPlainText: boolean;
}

interface Context {
  readonly config: MeshConfig;
  readonly providerClusters: ProviderClusters | undefined;
}

/** Fields that are empty where the caller has shown no certificate. */
const ofIdentity = [
  'principals',
  'notPrincipals',
  'namespaces',
  'notNamespaces',
  'serviceAccounts',
  'notServiceAccounts',
  'trustDomains',
  'notTrustDomains',
] as const satisfies readonly (keyof Source)[];
const keysOfIdentity: ReadonlySet<string> = new Set([
  'source.principal',
  'source.namespace',
  'source.serviceAccount',
  'source.trustDomain',
]);

function problem(policy: AuthorizationPolicy, code: string, path: string, message: string): Diagnostic {
  const { kind, metadata } = policy;
  return {
    severity: 'warning',
    code,
    message,
    object: { kind, namespace: metadata.namespace, name: metadata.name },
    path,
  };
}

/** A CUSTOM policy whose provider nobody can ask. */
function providerProblem(policy: AuthorizationPolicy, { config, providerClusters }: Context): readonly Diagnostic[] {
  if (policy.spec.action !== 'CUSTOM') return [];
  const name = policy.spec.provider?.name ?? '';
  const provider = findProvider(config, name);
  const service = provider?.envoyExtAuthzHttp ?? provider?.envoyExtAuthzGrpc;
  if (service && providerClusters?.has(providerKey(service))) return [];
  const what = !provider
    ? `meshConfig.extensionProviders has no ${JSON.stringify(name)}`
    : service
      ? `there is no service ${service.service} with port ${service.port} that the workload sees`
      : `the provider ${JSON.stringify(name)} is neither envoyExtAuthzHttp nor envoyExtAuthzGrpc`;
  const message = `Nobody can be asked: ${what}. What the rules name is denied until somebody can.`;
  return [problem(policy, 'SEINE-AUTHZ-PROVIDER', 'spec.provider.name', message)];
}

function isFor(rule: Rule, port: number): boolean {
  return !rule.to?.length || rule.to.some(({ operation }) => operation?.ports?.includes(`${port}`) ?? true);
}

/** Rules on HTTP that also stand before ports on which there is none. */
function tcpProblems(policy: AuthorizationPolicy, { name, tcpPorts }: AuthorizedWorkload): readonly Diagnostic[] {
  const { action = 'ALLOW', rules = [] } = policy.spec;
  if (action === 'AUDIT') return [];
  return rules.flatMap((rule, i) => {
    const ports = tcpPorts.filter((port) => isFor(rule, port));
    if (ports.length === 0 || !concernsHttp(rule)) return [];
    const effect =
      action === 'ALLOW'
        ? 'it allows nothing there'
        : 'it holds there for whatever else it says, so for more connections than it was written for';
    const where = `port ${ports.join(', ')} of ${name}`;
    const message = `The rule speaks of HTTP, but on ${where} is none: ${effect}. Name the ports that it is for in to[].operation.ports.`;
    return [problem(policy, 'SEINE-AUTHZ-TCP', `spec.rules[${i}]`, message)];
  });
}

/** Rules on identities where callers need not have any. */
function identityProblems(
  policy: AuthorizationPolicy,
  { name, takesPlainText }: AuthorizedWorkload,
): readonly Diagnostic[] {
  if (!takesPlainText) return [];
  const message = `${name} takes plain text too, whose callers have no identity: of them this never holds, and its negation always does. A PeerAuthentication of mode STRICT keeps them out.`;
  return (policy.spec.rules ?? []).flatMap(({ from = [], when = [] }, i) => {
    const inFrom = from.flatMap(({ source }, j) =>
      ofIdentity.filter((field) => source?.[field]?.length).map((field) => `from[${j}].source.${field}`),
    );
    const inWhen = when.flatMap(({ key }, j) => (keysOfIdentity.has(key) ? [`when[${j}].key`] : []));
    return [...inFrom, ...inWhen].map((path) =>
      problem(policy, 'SEINE-AUTHZ-MTLS', `spec.rules[${i}].${path}`, message),
    );
  });
}

/** What of the policies that select a workload is not as their authors may think; each is in force nevertheless. */
export function authorizationProblems(
  policies: readonly AuthorizationPolicy[],
  workload: AuthorizedWorkload,
  context: Context,
): readonly Diagnostic[] {
  return policies.flatMap((policy) => [
    ...providerProblem(policy, context),
    ...tcpProblems(policy, workload),
    ...identityProblems(policy, workload),
  ]);
}
