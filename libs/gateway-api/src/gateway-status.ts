import { type ConfigObject, fieldsOf } from '@seine/k8s';
import { keyPairProblem, referenceText } from './certificates.js';
import { type Condition, type Problem, setConditions, type Verdict } from './condition.js';
import type { Context } from './context.js';
import { gatewayInstances, type GatewayInstances, programmedVerdict } from './gateway-services.js';
import type { TranslatedGateway, TranslatedOwner } from './gateways.js';
import type { Gateway, ListenerSet } from './input.js';
import type { ListenerStatus } from './listeners.js';
import { configMapKind, gatewayKind, kindOf, secretKind } from './references.js';

/** How many routes are attached to each listener of one owner, by listener name. */
export type AttachedRoutes = ReadonlyMap<string, number>;

interface KnownStatus {
  readonly conditions?: readonly Condition[];
}

function existing(object: ConfigObject): readonly Condition[] | undefined {
  return (object['status'] as KnownStatus | undefined)?.conditions;
}

function withCounts(listeners: readonly ListenerStatus[], attached: AttachedRoutes | undefined): ListenerStatus[] {
  return listeners.map((listener) => ({ ...listener, attachedRoutes: attached?.get(listener.name) ?? 0 }));
}

function contextOf({ metadata }: ConfigObject, { options }: Context) {
  return { generation: metadata.generation, now: options.now };
}

/** The client certificate of the gateway towards backends, if it names one. */
function clientCertificateProblem(gateway: Gateway, { inputs, grants }: Context): Problem | undefined {
  const ref = (gateway.spec.tls?.backend ?? gateway.spec.backendTLS)?.clientCertificateRef;
  if (!ref) return undefined;
  const own = gateway.metadata.namespace;
  const namespace = ref.namespace ?? own;
  const wrong = (why: string): Problem => ({
    reason: 'InvalidClientCertificateRef',
    message: `invalid clientCertificateRef ${referenceText(ref)}, ${why}`,
  });
  if (kindOf(ref, secretKind) !== secretKind) return wrong('only secret is allowed');
  if (!grants.allows({ kind: gatewayKind, namespace: own }, { kind: secretKind, namespace, name: ref.name }))
    return {
      reason: 'RefNotPermitted',
      message: `clientCertificateRef ${ref.name}/${namespace} not accessible to a Gateway in namespace "${own}" (missing a ReferenceGrant?)`,
    };
  const secret = inputs.find(secretKind, namespace, ref.name);
  if (!secret) return wrong(`secret ${namespace}/${ref.name} not found`);
  const problem = keyPairProblem(secret);
  return problem === undefined ? undefined : wrong(problem);
}

function parametersProblem({ metadata, spec }: Gateway, { inputs }: Context): Problem | undefined {
  const ref = spec.infrastructure?.parametersRef;
  if (!ref) return undefined;
  if (kindOf(ref) !== configMapKind)
    return {
      reason: 'InvalidParameters',
      message: `Unsupported parametersRef group/kind ${ref.group ?? ''}/${ref.kind ?? ''}, only ConfigMap is supported`,
    };
  if (inputs.find(configMapKind, metadata.namespace, ref.name)) return undefined;
  return {
    reason: 'InvalidParameters',
    message: `parametersRef ConfigMap ${metadata.namespace}/${ref.name} does not exist`,
  };
}

function acceptedVerdict(gateway: TranslatedGateway, context: Context): Verdict {
  const { object, services, validListeners } = gateway;
  const total = object.spec.listeners.length;
  const problem = services.problem ?? parametersProblem(object, context);
  const accepted: Verdict = { reason: 'Accepted', message: 'Resource accepted', problem };
  if (problem || validListeners === total) return accepted;
  const reason = 'ListenersNotValid';
  if (validListeners > 0) return { reason, message: "One or more of the Gateway's listeners are invalid" };
  return { ...accepted, problem: { reason, message: "None of the Gateway's listeners are valid" } };
}

interface StatusAddress {
  readonly type: 'IPAddress' | 'Hostname';
  readonly value: string;
}

function addressOf(value: string): StatusAddress {
  return { type: /^[\d.]+$|:/.test(value) ? 'IPAddress' : 'Hostname', value };
}

function addressesOf(gateway: TranslatedGateway, instances: GatewayInstances): readonly StatusAddress[] {
  if (instances.external.length > 0) return instances.external.map(addressOf);
  const wanted =
    gateway.object.metadata.annotations?.['networking.istio.io/address-type'] ?? gateway.info.addressType ?? '';
  const own = wanted === 'Hostname' ? [] : [...instances.internalAddresses];
  if (wanted !== 'IPAddress')
    for (const hostPort of instances.internal) {
      const host = hostPort.slice(0, hostPort.lastIndexOf(':'));
      if (!instances.pending.includes(host) && !own.includes(host)) own.push(host);
    }
  return own.map(addressOf);
}

/** Whether clients without a valid certificate may come in on some port. */
function takesInsecure({ spec }: Gateway): boolean {
  const frontend = spec.tls?.frontend;
  return [frontend?.default, ...(frontend?.perPort ?? []).map(({ tls }) => tls)].some(
    (each) => each?.validation?.mode === 'AllowInsecureFallback',
  );
}

/** Status of a Gateway whose class somebody else programs. */
function remoteStatus({ object }: TranslatedGateway, context: Context): object {
  const verdicts = {
    Accepted: { reason: 'Accepted', message: 'Resource accepted' },
    Programmed: { reason: 'Programmed', message: 'This Gateway is remote; Istio will not program it' },
  };
  const { addresses } = object.spec;
  return {
    ...(addresses && { addresses }),
    conditions: setConditions(existing(object), verdicts, contextOf(object, context)),
  };
}

function insecureVerdict(gateway: Gateway): Record<string, Verdict> {
  if (!takesInsecure(gateway)) return {};
  return {
    InsecureFrontendValidationMode: {
      reason: 'ConfigurationChanged',
      message: 'Gateway is operating in AllowInsecureFallback mode for frontend validation',
    },
  };
}

/** Status of a Gateway. @param attached of its own listeners */
export function gatewayStatus(
  gateway: TranslatedGateway,
  attached: AttachedRoutes | undefined,
  context: Context,
): object {
  const { object, info, services, listeners } = gateway;
  if (info.remote) return remoteStatus(gateway, context);
  const sets = gateway.listenerSets.filter((set) => set.configs.length > 0);
  const servers = [...gateway.servers, ...sets.flatMap((set) => set.configs.flatMap(serversOf))];
  const ports = servers.map(({ port }) => port.number);
  const instances = gatewayInstances(object.metadata.namespace, services, ports, context);
  const verdicts = {
    Accepted: acceptedVerdict(gateway, context),
    Programmed: programmedVerdict(instances, services.hosts, context.options.endpoints !== undefined),
    ResolvedRefs: {
      reason: 'ResolvedRefs',
      message: 'All references resolved',
      problem: clientCertificateProblem(object, context),
    },
    ...insecureVerdict(object),
  };
  const addresses = addressesOf(gateway, instances);
  return {
    ...(addresses.length > 0 && { addresses }),
    ...(sets.length > 0 && { attachedListenerSets: sets.length }),
    conditions: setConditions(existing(object), verdicts, contextOf(object, context)),
    ...(listeners.length > 0 && { listeners: withCounts(listeners, attached) }),
  };
}

function serversOf({ spec }: ConfigObject): readonly { readonly port: { readonly number: number } }[] {
  return fieldsOf(spec)['servers'] as readonly { readonly port: { readonly number: number } }[];
}

/** Status of a ListenerSet that its Gateway takes. */
export function listenerSetStatus(
  set: TranslatedOwner<ListenerSet>,
  gateway: Gateway,
  attached: AttachedRoutes | undefined,
  context: Context,
): object {
  const { object, services, servers, listeners, validListeners } = set;
  const ports = servers.map(({ port }) => port.number);
  const instances = gatewayInstances(gateway.metadata.namespace, services, ports, context);
  const invalid: Problem | undefined =
    validListeners > 0
      ? undefined
      : { reason: 'ListenersNotValid', message: "None of the ListenerSet's listeners are valid" };
  const parent = services.problem && {
    reason: services.problem.reason,
    message: `Parent not accepted: ${services.problem.message}`,
  };
  const programmed = programmedVerdict(instances, services.hosts, context.options.endpoints !== undefined);
  const verdicts = {
    Accepted: { reason: 'Accepted', message: 'Resource accepted', problem: parent ?? invalid },
    Programmed: invalid ? { ...programmed, problem: invalid } : programmed,
  };
  return {
    conditions: setConditions(existing(object), verdicts, contextOf(object, context)),
    ...(listeners.length > 0 && { listeners: withCounts(listeners, attached) }),
  };
}

/** Status of a ListenerSet that its Gateway does not take. */
export function refusedSetStatus(object: ListenerSet, message: string, context: Context): object {
  const problem = { reason: 'NotAllowed', message };
  const verdicts = {
    Accepted: { reason: 'Accepted', message: '', problem },
    Programmed: { reason: 'Programmed', message: '', problem },
  };
  return { conditions: setConditions(existing(object), verdicts, contextOf(object, context)) };
}
