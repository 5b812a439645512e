import type { ClientTLSSettings, gatewayApi, PortTrafficPolicy, ServiceEntry, TrafficPolicy } from '@seine/istio';
import { type ConfigObject, fieldsOf, itemsOf, type ObjectKey, objectKey, portOf, textOf } from '@seine/k8s';
import { Ancestors } from './ancestors.js';
import { serviceEntries } from './backend-entries.js';
import { configMapProblem } from './certificates.js';
import { joinWords, type Problem, type Verdict } from './condition.js';
import type { Context } from './context.js';
import { gatewayController, meshController } from './gateway-classes.js';
import { type Backend, type BackendTLSPolicy, type BackendTrafficPolicy, compareAge } from './input.js';
import * as internal from './internal.js';
import {
  type AncestorVerdicts,
  ancestorStatus,
  backendFields,
  ignoredVerdicts,
  isIgnored,
  policyFields,
} from './policy-status.js';
import { backendKind, configMapKind, kindOf, serviceEntryKind, serviceKind } from './references.js';

/** What one policy says of one host. */
interface Piece {
  readonly source: ConfigObject;
  /** `group/Kind` of what the policy is for. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly host: string;
  /** Only this port of it. */
  readonly port?: number | undefined;
  readonly tls?: ClientTLSSettings;
  readonly loadBalancer?: TrafficPolicy['loadBalancer'];
  readonly retryBudget?: TrafficPolicy['retryBudget'];
}

export interface TranslatedPolicies {
  readonly objects: readonly ConfigObject[];
  readonly statuses: ReadonlyMap<ObjectKey, object>;
}

interface PolicyVerdicts {
  Accepted: Verdict;
  ResolvedRefs: Verdict;
}

function validVerdicts(): PolicyVerdicts {
  const message = 'Configuration is valid';
  return { Accepted: { reason: 'Accepted', message }, ResolvedRefs: { reason: 'ResolvedRefs', message } };
}

function refuse(verdict: Verdict, reason: string, message: string): Verdict {
  return { ...verdict, problem: { reason, message } };
}

/** The name under which proxies get the certificates to trust; empty: those that they trust anyway. */
function authorityName(
  { wellKnownCACertificates, caCertificateRefs = [] }: gatewayApi.BackendValidation,
  namespace: string,
  verdicts: PolicyVerdicts,
  { inputs }: Context,
): string {
  if (wellKnownCACertificates !== undefined) {
    if (wellKnownCACertificates !== 'System')
      verdicts.Accepted = refuse(
        verdicts.Accepted,
        'Invalid',
        `Unknown wellKnownCACertificates: ${wellKnownCACertificates}`,
      );
    return '';
  }
  const [ref, ...others] = caCertificateRefs;
  if (!ref) return '';
  if (others.length > 0)
    verdicts.Accepted = {
      ...verdicts.Accepted,
      message: `${verdicts.Accepted.message}; warning: only the first caCertificateRefs will be used`,
    };
  const problem = authorityProblemOf(ref, namespace, inputs.find(kindOf(ref), namespace, ref.name));
  if (!problem) return `configmap://${namespace}/${ref.name}`;
  verdicts.ResolvedRefs = { ...verdicts.ResolvedRefs, problem };
  const why = problem.message.slice(problem.message.indexOf(': ') + 2);
  verdicts.Accepted = refuse(verdicts.Accepted, 'NoValidCACertificate', `Certificate reference invalid: ${why}`);
  // A name that never has a value: connections fail, as they must not go out unverified.
  return 'invalid://';
}

function authorityProblemOf(
  ref: gatewayApi.LocalObjectReference,
  namespace: string,
  object: ConfigObject | undefined,
): Problem | undefined {
  if (kindOf(ref) !== configMapKind)
    return {
      reason: 'InvalidKind',
      message: `Certificate reference not supported: unsupported kind ${ref.kind ?? ''}`,
    };
  if (!object)
    return {
      reason: 'InvalidCACertificateRef',
      message: `Certificate reference not found: reference ${namespace}/${ref.name} (of kind ${ref.kind ?? ''}) not found`,
    };
  const problem = configMapProblem(object);
  return problem === undefined
    ? undefined
    : { reason: 'InvalidCACertificateRef', message: `Certificate invalid: ${problem}` };
}

function clientTls(
  validation: gatewayApi.BackendValidation,
  sni: string,
  namespace: string,
  verdicts: PolicyVerdicts,
  context: Context,
): ClientTLSSettings {
  const written = (validation.subjectAltNames ?? []).flatMap(({ type, hostname, uri }) =>
    type === 'URI' ? (uri ?? []) : (hostname ?? []),
  );
  // Without names of its own the certificate must be for the host that is asked for.
  const names = written.length > 0 || sni === '' ? written : [sni];
  const credentialName = authorityName(validation, namespace, verdicts, context);
  return {
    mode: 'SIMPLE',
    ...(sni !== '' && { sni }),
    ...(names.length > 0 && { subjectAltNames: names }),
    ...(credentialName !== '' && { credentialName }),
  };
}

interface Port {
  readonly name: string;
  readonly number: number | undefined;
}

function portsOf(kind: string, object: ConfigObject): readonly Port[] {
  const ports = itemsOf(fieldsOf(object.spec)['ports']);
  return ports.map((port) => ({
    name: textOf(port['name']),
    number: portOf(kind === serviceKind ? port['port'] : port['number']),
  }));
}

interface Target {
  readonly hosts: readonly string[];
  readonly port?: number | undefined;
}

type TargetRef = gatewayApi.BackendTLSPolicySpec['targetRefs'][number];

/** The hosts that a policy is for; a text: why there are none. */
function targetOf(ref: TargetRef, namespace: string, { inputs, options }: Context): Target | string {
  const kind = kindOf(ref);
  if (kind !== serviceKind && kind !== serviceEntryKind) return `unsupported kind ${ref.kind}`;
  const object = inputs.find(kind, namespace, ref.name);
  if (!object) return `reference ${namespace}/${ref.name} (of kind ${ref.kind}) not found`;
  const hosts =
    kind === serviceKind
      ? [`${ref.name}.${namespace}.svc.${options.clusterDomain}`]
      : (object as ServiceEntry).spec.hosts;
  if (!ref.sectionName) return { hosts };
  const port = portsOf(kind, object).find(({ name }) => name === ref.sectionName)?.number;
  return port === undefined
    ? `sectionName "${ref.sectionName}" does not exist in ${ref.kind} ${namespace}/${ref.name}`
    : { hosts, port };
}

/** One object, told from others of its kind; an API server gives a uid. */
function identityOf({ metadata }: ConfigObject): string {
  return metadata.uid ?? `${metadata.namespace}/${metadata.name}`;
}

function sameTarget(a: TargetRef, b: TargetRef): boolean {
  return kindOf(a) === kindOf(b) && a.name === b.name && (a.sectionName ?? undefined) === (b.sectionName ?? undefined);
}

/** The policy that goes before another one for the same target: the oldest. */
function winnerOver(
  policy: BackendTLSPolicy,
  ref: TargetRef,
  all: readonly BackendTLSPolicy[],
): BackendTLSPolicy | undefined {
  return all.find(
    (other) =>
      other.metadata.namespace === policy.metadata.namespace &&
      identityOf(other) !== identityOf(policy) &&
      !isIgnored(other) &&
      other.spec.targetRefs.some((each) => sameTarget(each, ref)) &&
      compareAge(other, policy) < 0,
  );
}

class Policies {
  readonly pieces: Piece[] = [];
  readonly statuses = new Map<ObjectKey, object>();
  readonly #ancestors: Ancestors;

  constructor(private readonly context: Context) {
    this.#ancestors = new Ancestors(context);
  }

  #setStatus(object: ConfigObject, ancestors: readonly AncestorVerdicts[], fields = policyFields): void {
    this.statuses.set(objectKey(object), ancestorStatus(object, ancestors, fields, this.context));
  }

  /** The status of a policy that is left to others. */
  #ignore(policy: BackendTLSPolicy | BackendTrafficPolicy): void {
    const refs: readonly TargetRef[] = policy.spec.targetRefs;
    this.#setStatus(
      policy,
      refs.map((ref) => ({ ref: ancestorRefOf(ref), controllerName: meshController, verdicts: ignoredVerdicts })),
    );
  }

  takeTls(policy: BackendTLSPolicy, all: readonly BackendTLSPolicy[]): void {
    if (isIgnored(policy)) {
      this.#ignore(policy);
      return;
    }
    const { namespace } = policy.metadata;
    const { targetRefs, validation } = policy.spec;
    const common = validVerdicts();
    const tls = clientTls(validation, validation.hostname, namespace, common, this.context);
    const gateways = new Map<string, string>();
    const targets = targetRefs.map((ref): AncestorVerdicts => {
      const verdicts = { ...common };
      const target = targetOf(ref, namespace, this.context);
      if (typeof target === 'string')
        verdicts.Accepted = refuse(verdicts.Accepted, 'TargetNotFound', `targetRefs invalid: ${target}`);
      else {
        const winner = winnerOver(policy, ref, all);
        if (winner)
          verdicts.Accepted = refuse(
            verdicts.Accepted,
            'Conflicted',
            `Conflicts with BackendTLSPolicy "${winner.metadata.name}" targeting the same backend`,
          );
        else this.#add(policy, ref, target, tls);
        for (const gateway of this.#ancestors.of(kindOf(ref), namespace, ref.name))
          gateways.set(`${gateway.namespace}/${gateway.name}`, gateway.name);
      }
      return { ref: ancestorRefOf(ref), controllerName: meshController, verdicts: { ...verdicts } };
    });
    const last = targets.at(-1)?.verdicts ?? { ...common };
    const others = [...gateways].sort().map(([, name]) => ({
      ref: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name },
      controllerName: gatewayController,
      verdicts: last,
    }));
    this.#setStatus(policy, [...targets, ...others]);
  }

  #add(source: ConfigObject, ref: TargetRef, { hosts, port }: Target, tls: ClientTLSSettings): void {
    for (const host of hosts)
      this.pieces.push({
        source,
        kind: kindOf(ref),
        namespace: source.metadata.namespace,
        name: ref.name,
        host,
        port,
        tls,
      });
  }

  takeTraffic(policy: BackendTrafficPolicy): void {
    if (isIgnored(policy)) {
      this.#ignore(policy);
      return;
    }
    const { namespace } = policy.metadata;
    const { targetRefs, retryConstraint, sessionPersistence } = policy.spec;
    const unsupported = sessionPersistence ? ['sessionPersistence'] : [];
    const retryBudget = retryConstraint && {
      ...(retryConstraint.budget?.percent !== undefined && { percent: retryConstraint.budget.percent }),
      budgetInterval: retryConstraint.budget?.interval ?? '10s',
      minRetryConcurrency: retryConstraint.minRetryRate?.count ?? 10,
    };
    const targets = targetRefs.map((ref): AncestorVerdicts => {
      const message =
        unsupported.length === 0
          ? 'Configuration is valid'
          : `Configuration is valid, but Istio does not support the following fields: ${joinWords(unsupported)}`;
      const Accepted: Verdict = { reason: 'Accepted', message };
      const target =
        kindOf(ref) === serviceKind
          ? targetOf(ref, namespace, this.context)
          : `unsupported reference kind: ${ref.kind}`;
      if (typeof target !== 'string')
        for (const host of target.hosts)
          this.pieces.push({
            source: policy,
            kind: serviceKind,
            namespace,
            name: ref.name,
            host,
            loadBalancer: {},
            ...(retryBudget && { retryBudget }),
          });
      const verdict =
        typeof target === 'string' ? refuse(Accepted, 'TargetNotFound', `targetRefs invalid: ${target}`) : Accepted;
      return { ref: ancestorRefOf(ref), controllerName: meshController, verdicts: { Accepted: verdict } };
    });
    this.#setStatus(policy, targets);
  }

  takeBackend(backend: Backend): void {
    const { namespace, name } = backend.metadata;
    const { type, externalHostname, port } = backend.spec;
    const verdicts = validVerdicts();
    if (type !== 'ExternalHostname' || !externalHostname)
      verdicts.Accepted = refuse(verdicts.Accepted, 'Invalid', `unsupported backend type: ${type}`);
    else {
      const tls = this.#backendTls(backend, externalHostname.hostname, verdicts);
      const host = externalHostname.hostname;
      if (tls) this.pieces.push({ source: backend, kind: backendKind, namespace, name, host, port: port.port, tls });
    }
    const own = { group: 'gateway.networking.x-k8s.io', kind: 'XBackend', name };
    const gateways = this.#ancestors.of(backendKind, namespace, name);
    this.#setStatus(
      backend,
      [
        { ref: own, controllerName: meshController, verdicts: { ...verdicts } },
        ...gateways.map((gateway) => ({
          ref: { group: 'gateway.networking.k8s.io', kind: 'Gateway', ...gateway },
          controllerName: gatewayController,
          verdicts: { ...verdicts },
        })),
      ],
      backendFields,
    );
  }

  #backendTls({ metadata, spec }: Backend, host: string, verdicts: PolicyVerdicts): ClientTLSSettings | undefined {
    const { mode, validation } = spec.tls ?? { mode: 'None' };
    if (mode === 'None') return undefined;
    if (mode !== 'ServerOnly') {
      const why =
        mode === 'ClientAndServer'
          ? 'unsupported ClientAndServer TLS mode: Istio does not support client certificates on backend'
          : `unsupported TLS mode: "${mode ?? ''}"`;
      verdicts.Accepted = refuse(verdicts.Accepted, 'Invalid', why);
      return undefined;
    }
    const own = validation ?? { hostname: '' };
    return clientTls(own, own.hostname || host, metadata.namespace, verdicts, this.context);
  }
}

function ancestorRefOf({ group = '', kind, name, sectionName }: TargetRef) {
  return { group, kind, name, ...(sectionName !== undefined && { sectionName }) };
}

/** Of several pieces that speak of the same thing the first counts. */
function trafficPolicyOf(pieces: readonly Piece[]): TrafficPolicy {
  const whole = pieces.filter(({ port }) => port === undefined);
  const ports = new Map<number, PortTrafficPolicy>();
  for (const { port, tls } of pieces)
    if (tls && port !== undefined && !ports.has(port)) ports.set(port, { port: { number: port }, tls });
  const tls = whole.find((piece) => piece.tls)?.tls;
  const loadBalancer = whole.find((piece) => piece.loadBalancer)?.loadBalancer;
  const retryBudget = whole.find((piece) => piece.retryBudget)?.retryBudget;
  return {
    ...(loadBalancer && { loadBalancer }),
    ...(retryBudget && { retryBudget }),
    ...(tls && { tls }),
    ...(ports.size > 0 && { portLevelSettings: [...ports].sort(([a], [b]) => a - b).map(([, settings]) => settings) }),
  };
}

/** The pieces that some of what they say is followed of: not those whose all was said by an older one. */
function heard(pieces: readonly Piece[]): readonly Piece[] {
  return pieces.filter(
    (piece, i) =>
      !piece.tls || piece.port !== undefined || pieces.findIndex((p) => p.tls && p.port === undefined) === i,
  );
}

/** All pieces for one host as one DestinationRule; the oldest go first. */
function destinationRule(pieces: readonly Piece[]): ConfigObject | undefined {
  const sorted = [...pieces].sort((a, b) => compareAge(a.source, b.source));
  const [first] = sorted;
  if (!first) return undefined;
  const sources = heard(sorted).map(
    ({ source: { kind, metadata } }) => `${kind}/${metadata.namespace}.${metadata.name}`,
  );
  const { kind, namespace, name, host } = first;
  const parts = kind === serviceKind ? [name] : [name, host.replaceAll('.', '-')];
  const oldest = first.source.metadata.creationTimestamp;
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: {
      name: internal.derivedName(...parts),
      namespace,
      ...(oldest !== undefined && { creationTimestamp: oldest }),
      annotations: { [internal.parents]: [...new Set(sources)].join(',') },
    },
    spec: { host, trafficPolicy: trafficPolicyOf(sorted) },
  };
}

/** Translates what is said of backends: BackendTLSPolicy, XBackendTrafficPolicy, XBackend. */
export function translatePolicies(context: Context): TranslatedPolicies {
  const { inputs } = context;
  const policies = new Policies(context);
  const tls = inputs.all<gatewayApi.BackendTLSPolicySpec>('gateway.networking.k8s.io/BackendTLSPolicy');
  const traffic = inputs.all<gatewayApi.BackendTrafficPolicySpec>('gateway.networking.x-k8s.io/XBackendTrafficPolicy');
  const backends = inputs.all<gatewayApi.BackendSpec>(backendKind);
  for (const policy of traffic) policies.takeTraffic(policy);
  for (const policy of tls) policies.takeTls(policy, tls);
  for (const backend of backends) policies.takeBackend(backend);
  const byTarget = new Map<string, Piece[]>();
  for (const piece of policies.pieces) {
    const key = `${piece.kind}/${piece.namespace}/${piece.name}/${piece.host}`;
    byTarget.set(key, [...(byTarget.get(key) ?? []), piece]);
  }
  const rules = [...byTarget.values()].flatMap((pieces) => destinationRule(pieces) ?? []);
  return { objects: [...rules, ...serviceEntries(backends)], statuses: policies.statuses };
}
