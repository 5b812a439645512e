import {
  emitFileSecret,
  emitSecret,
  isPublic,
  parseFileSecret,
  parseSecretName,
  policySecretNames,
  secretCandidates,
  type SecretReference,
  serverSecretNames,
} from '@seine/compile';
import { encodeResource } from '@seine/envoy';
import { SecretSchema } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { DestinationRule, Gateway } from '@seine/istio';
import type { Secret } from '@seine/k8s';
import { internByKey, memo } from '@seine/memo';
import { isListenerGateway, type Proxy } from '@seine/model';
import { type Resource, resource, ResourceSet } from '@seine/snapshot';
import { internSet } from './resource-sets.js';
import type { RuleTable } from './visibility.js';

/**
 * What opens Secrets to Gateways of other namespaces (ReferenceGrant): `<namespace of the Gateway> <namespace>/<name>`,
 * with the name `*` for all Secrets of the namespace.
 */
export type SecretGrants = ReadonlySet<string>;
export const noGrants: SecretGrants = new Set();

/** A secret that some object has a proxy ask for. */
interface Request {
  readonly name: string;
  /** Namespace of the Gateway or DestinationRule that names it. */
  readonly from: string;
}

const internRequests = internByKey<readonly Request[]>(1024);
const noRequests: readonly Request[] = Object.freeze([]);

function requestList(requests: readonly Request[]): readonly Request[] {
  if (requests.length === 0) return noRequests;
  const byKey = new Map(requests.map((request) => [`${request.from} ${request.name}`, Object.freeze(request)]));
  return internRequests([...byKey.keys()].join('\0'), () => Object.freeze([...byKey.values()]));
}

const ofGateways = memo('gatewaySecretNames', (gateways: readonly Gateway[]): readonly Request[] =>
  requestList(
    gateways.flatMap(({ spec, metadata }) =>
      (spec.servers ?? []).flatMap(({ tls }) =>
        serverSecretNames(tls).map((name) => ({ name, from: metadata.namespace })),
      ),
    ),
  ),
);

const ofRule = memo('ruleSecretNames', ({ spec, metadata }: DestinationRule): readonly Request[] => {
  const policies = [spec.trafficPolicy, ...(spec.subsets ?? []).map((subset) => subset.trafficPolicy)];
  return requestList(policies.flatMap(policySecretNames).map((name) => ({ name, from: metadata.namespace })));
});

/**
 * The rules' secrets. A sidecar takes those of rules that select workloads only: any other rule would have every
 * sidecar ask for what few may have (Istio: ClientTLSSettings.credentialName).
 */
const ofRules = memo('rulesSecretNames', (rules: RuleTable, type: Proxy['type']): readonly Request[] => {
  return requestList(
    [...rules.entries()].flatMap(([, rule]) => {
      const requests = ofRule(rule);
      return type === 'router' || rule.spec.workloadSelector ? requests : requests.filter(({ name }) => isPublic(name));
    }),
  );
});

const secretsByName = memo(
  'secretsByName',
  (all: readonly Secret[]): ReadonlyMap<string, Secret> =>
    new Map(all.map((secret) => [`${secret.metadata.namespace}/${secret.metadata.name}`, secret])),
);

const secretResource = memo(
  'secret',
  (secret: Secret, name: string, part: SecretReference['part']): Resource | undefined => {
    const message = emitSecret({ name, part }, secret);
    return message && resource(name, encodeResource(SecretSchema, message));
  },
);

/** Names of files are no secret: every proxy may read its own disk. */
const fileResource = memo('fileSecret', ({ name }: Request): Resource | undefined => {
  const files = parseFileSecret(name);
  return files && resource(name, encodeResource(SecretSchema, emitFileSecret(name, files)));
});

/**
 * What opens Secrets to Gateways that were derived from listeners of the Gateway API: they name no Secret for which there is
 * no grant, and whoever serves them has their certificates.
 */
export const grantsOf = memo('secretGrants', (gateways: readonly Gateway[]): SecretGrants => {
  const derived = gateways.filter(({ metadata }) => isListenerGateway(metadata.name));
  if (derived.length === 0) return noGrants;
  return new Set(
    ofGateways(derived).flatMap(({ name, from }) => {
      const reference = parseSecretName(name, from);
      return reference ? [`${from} ${reference.namespace}/${reference.secret}`] : [];
    }),
  );
});

/**
 * Whether a proxy may have a Secret: one of its own namespace, or one that a grant opens to the Gateway's namespace. A
 * Gateway that names a namespace (`kubernetes-gateway://`) must itself be where the Secret is, unless there is a grant.
 */
function isOpenTo(reference: SecretReference, { from }: Request, namespace: string, grants: SecretGrants): boolean {
  const own = reference.namespace === namespace && (!reference.needsGrant || from === namespace);
  return (
    own ||
    isPublic(reference.name) ||
    grants.has(`${from} ${reference.namespace}/${reference.secret}`) ||
    grants.has(`${from} ${reference.namespace}/*`)
  );
}

function resourceFor(
  request: Request,
  secrets: ReadonlyMap<string, Secret>,
  namespace: string,
  grants: SecretGrants,
): readonly Resource[] {
  const fromFiles = fileResource(request);
  if (fromFiles) return [fromFiles];
  const reference = parseSecretName(request.name, namespace);
  if (!reference || !isOpenTo(reference, request, namespace, grants)) return [];
  for (const name of secretCandidates(reference)) {
    const secret = secrets.get(`${reference.namespace}/${name}`);
    const made = secret && secretResource(secret, reference.name, reference.part);
    if (secret) return made ? [made] : [];
  }
  return [];
}

const secretSet = memo(
  'secretSet',
  (
    gateways: readonly Request[],
    rules: readonly Request[],
    all: readonly Secret[],
    namespace: string,
    grants: SecretGrants,
  ): ResourceSet => {
    const secrets = secretsByName(all);
    return internSet([...gateways, ...rules].flatMap((request) => resourceFor(request, secrets, namespace, grants)));
  },
);

/**
 * The secrets that a proxy gets: those that its Gateways and DestinationRules name, that are there, and that it may
 * have. No proxy gets any other, whatever it asks for.
 * @param gateways those that select the proxy
 * @param all the mesh's Secrets
 */
export function proxySecrets(
  proxy: Pick<Proxy, 'type' | 'namespace'>,
  gateways: readonly Gateway[],
  rules: RuleTable,
  all: readonly Secret[],
  grants: SecretGrants = noGrants,
): ResourceSet {
  const [servers, clients] = [ofGateways(gateways), ofRules(rules, proxy.type)];
  if (servers.length + clients.length === 0) return ResourceSet.empty;
  return secretSet(servers, clients, all, proxy.namespace, grants);
}
