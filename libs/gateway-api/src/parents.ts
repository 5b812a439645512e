import type { gatewayApi } from '@seine/istio';
import { compareText, type ConfigObject } from '@seine/k8s';
import type { Context } from './context.js';
import { gatewayController, meshController } from './gateway-classes.js';
import { type Parent, parentKey } from './gateways.js';
import { hostsOverlap, isSubsetOf } from './hostnames.js';
import { gatewayKind, kindOf, listenerSetKind, serviceEntryKind, serviceKind } from './references.js';

/** Why a route is not attached; the reasons are the specification's, the gravest first. */
export const denialReasons = [
  'NotAllowedByListeners',
  'NoMatchingListenerHostname',
  'ParentRefConflict',
  'NoMatchingParent',
] as const;

export interface Denial {
  readonly reason: (typeof denialReasons)[number];
  readonly message: string;
}

/** A route of any kind, as far as attaching it goes. */
export interface RouteHead {
  readonly object: ConfigObject;
  readonly kind: 'HTTPRoute' | 'GRPCRoute' | 'TLSRoute' | 'TCPRoute';
  readonly parentRefs: readonly gatewayApi.ParentReference[];
  /** Empty: all. */
  readonly hostnames: readonly string[];
}

/** One listener (or the mesh) that a route asks for. */
export interface Attachment {
  readonly ref: gatewayApi.ParentReference;
  readonly parent: Parent;
  readonly mesh: boolean;
  /** Of `ref`: `group/Kind`. */
  readonly refKind: string;
  readonly denial: Denial | undefined;
  /** Hosts of other listeners on the same port, to which requests for them go. */
  readonly otherHostnames: readonly string[];
}

/** All traffic inside the mesh. */
const mesh: Parent = {
  key: 'mesh',
  internalName: 'mesh',
  kinds: ['HTTPRoute', 'GRPCRoute', 'TCPRoute', 'TLSRoute'].map((kind) => ({
    group: 'gateway.networking.k8s.io',
    kind,
  })),
  hosts: [],
  hostname: '',
  sectionName: '',
  port: 0,
  protocol: '',
};

const knownParents: ReadonlySet<string> = new Set([gatewayKind, listenerSetKind, serviceKind, serviceEntryKind]);

/** How a reference is told from others: by all its fields, with what it leaves out. */
export function parentRefKey(ref: gatewayApi.ParentReference, namespace: string): string {
  const group = ref.group ?? 'gateway.networking.k8s.io';
  const kind = ref.kind ?? 'Gateway';
  return `${group}/${kind}/${ref.name}/${ref.sectionName ?? ''}/${ref.port ?? 0}.${ref.namespace ?? namespace}`;
}

/** Whether a waypoint that somebody else programs stands before a Service: then its routes are not ours. */
function servedByAnotherWaypoint(kind: string, namespace: string, name: string, { inputs, classes }: Context): boolean {
  const label = 'istio.io/use-waypoint';
  const own = inputs.find(kind, namespace, name)?.metadata.labels;
  if (!own && !inputs.find(kind, namespace, name)) return false;
  const labels = own?.[label] === undefined ? inputs.find('/Namespace', '', namespace)?.metadata.labels : own;
  const waypoint = labels?.[label];
  if (waypoint === undefined || waypoint === '' || waypoint.toLowerCase() === 'none') return false;
  const at = labels?.['istio.io/use-waypoint-namespace'] ?? namespace;
  const gateway = inputs.gateways().find(({ metadata }) => metadata.namespace === at && metadata.name === waypoint);
  const className = gateway?.spec.gatewayClassName;
  const object = classes.objects.find(({ metadata }) => metadata.name === className);
  return object !== undefined && ![gatewayController, meshController].includes(object.spec.controllerName);
}

interface Reference {
  readonly ref: gatewayApi.ParentReference;
  readonly kind: string;
  readonly namespace: string;
}

/** Whether a route may be attached to a listener at all, before its kind is looked at. */
function listenerDenial({ ref }: Reference, parent: Parent, route: RouteHead): Denial | undefined {
  if (ref.port !== undefined && ref.port !== parent.port)
    return { reason: 'NoMatchingParent', message: `port ${ref.port} not found` };
  if (ref.sectionName !== undefined && ref.sectionName !== '' && ref.sectionName !== parent.sectionName)
    return { reason: 'NoMatchingParent', message: `sectionName "${ref.sectionName}" not found` };
  const { namespace } = route.object.metadata;
  const hostnames = route.hostnames.length === 0 ? ['*'] : route.hostnames;
  let hostMatched = false;
  for (const scoped of parent.hosts) {
    const slash = scoped.indexOf('/');
    const [allowed, host] = [scoped.slice(0, slash), scoped.slice(slash + 1)];
    if (!hostnames.some((hostname) => hostsOverlap(host, hostname))) continue;
    hostMatched = true;
    if (allowed === '*' || allowed === namespace) return undefined;
  }
  if (hostMatched)
    return {
      reason: 'NotAllowedByListeners',
      message: `hostnames matched parent hostname "${parent.hostname}", but namespace "${namespace}" is not allowed by the parent`,
    };
  return { reason: 'NoMatchingListenerHostname', message: `no hostnames matched parent hostname "${parent.hostname}"` };
}

function meshDenial({ ref, kind, namespace }: Reference, { inputs }: Context): Denial | undefined {
  if (inputs.find(kind, namespace, ref.name)) return undefined;
  const word = kind === serviceKind ? 'service' : 'service entry';
  return { reason: 'NoMatchingParent', message: `parent ${word}: "${ref.name}" not found` };
}

function kindDenial(parent: Parent, kind: string): Denial | undefined {
  if (parent.kinds.some((allowed) => allowed.kind === kind)) return undefined;
  return { reason: 'NotAllowedByListeners', message: `kind gateway.networking.k8s.io/v1/${kind} is not allowed` };
}

/** A listener on the same port and protocol takes the requests for hosts that it names more exactly. */
function otherHostnames(parent: Parent, parents: readonly Parent[]): readonly string[] {
  const others = parents.filter(
    (other) => other !== parent && other.port === parent.port && other.protocol === parent.protocol,
  );
  return [...new Set(others.map(({ hostname }) => hostname))].filter((hostname) => hostname !== parent.hostname);
}

/**
 * Everything that a route asks to be attached to and that is ours: each reference may mean several listeners. Ordered by
 * reference, so that results do not depend on the order of the input.
 */
export function attachmentsOf(
  route: RouteHead,
  parents: ReadonlyMap<string, readonly Parent[]>,
  context: Context,
): readonly Attachment[] {
  const { namespace } = route.object.metadata;
  const found: Attachment[] = [];
  for (const ref of route.parentRefs) {
    const reference = { ref, kind: kindOf(ref, gatewayKind), namespace: ref.namespace ?? namespace };
    // What is unknown is for another controller.
    if (!knownParents.has(reference.kind)) continue;
    const inMesh = reference.kind === serviceKind || reference.kind === serviceEntryKind;
    if (inMesh && servedByAnotherWaypoint(reference.kind, reference.namespace, ref.name, context)) continue;
    const candidates = inMesh ? [mesh] : (parents.get(parentKey(reference.kind, reference.namespace, ref.name)) ?? []);
    for (const parent of candidates) {
      const denial = inMesh ? meshDenial(reference, context) : listenerDenial(reference, parent, route);
      found.push({
        ref,
        parent,
        mesh: inMesh,
        refKind: reference.kind,
        denial: denial ?? kindDenial(parent, route.kind),
        otherHostnames: otherHostnames(parent, candidates),
      });
    }
  }
  const keyed = found.map((attachment) => [parentRefKey(attachment.ref, namespace), attachment] as const);
  return keyed.sort(([a], [b]) => compareText(a, b)).map(([, attachment]) => attachment);
}

/** Those that hold, in order of what they are attached to. */
export function accepted(attachments: readonly Attachment[]): readonly Attachment[] {
  return attachments
    .filter(({ denial }) => !denial)
    .sort((a, b) => compareText(a.parent.internalName, b.parent.internalName));
}

/** Whether requests for a host of a route come to the listener: not where another one names the host more exactly. */
export function isServedHere(host: string, { parent, otherHostnames: others }: Attachment): boolean {
  const own = parent.hostname;
  if (own !== '' && !own.startsWith('*')) return true;
  if (own !== '' && !hostsOverlap(host, own)) return false;
  return !others.some((other) => own.length <= other.length && isSubsetOf(host, other));
}
