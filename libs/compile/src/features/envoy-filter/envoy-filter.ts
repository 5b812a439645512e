import { fromBinary } from '@bufbuild/protobuf';
import { type Cluster, ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { type Listener, ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import { type RouteConfiguration, RouteConfigurationSchema } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import { clusterComplaints, listenerComplaints, routeComplaints } from './envoy-rules.js';
import { matchesCluster } from './match-cluster.js';
import { matchesListenerName } from './match-listener.js';
import { matchesRouteConfiguration } from './match-route.js';
import { addedClusters, patchCluster } from './patch-cluster.js';
import { addedListeners, patchListener } from './patch-listener.js';
import { patchRouteConfiguration } from './patch-route.js';
import {
  type ApplyTo,
  type EnvoyPatch,
  groupPatches,
  patchesFor,
  type PatchInput,
  type PatchSet,
  type PatchTarget,
} from './patches.js';

/** A patch that a resource does not get, and why. */
export interface PatchProblem {
  readonly patch: EnvoyPatch;
  readonly resource: string;
  readonly message: string;
}

export interface Patched<M> {
  /** Undefined: a patch removes the resource. */
  readonly message: M | undefined;
  readonly problems: readonly PatchProblem[];
}

interface Attempt<M> extends Patched<M> {
  readonly complaints: readonly string[];
}

interface Patching<M extends { readonly name: string }> {
  readonly decode: () => M;
  readonly apply: (message: M, input: PatchInput) => M | undefined;
  readonly complaints: (message: M) => readonly string[];
}

function attempt<M extends { readonly name: string }>(
  { decode, apply, complaints }: Patching<M>,
  patches: PatchSet,
  target: PatchTarget,
): Attempt<M> {
  const original = decode();
  const resource = original.name;
  const problems: PatchProblem[] = [];
  const refuse: PatchInput['refuse'] = (patch, message) => void problems.push({ patch, resource, message });
  const message = apply(original, { ...target, patches, refuse });
  return { message, problems, complaints: message ? complaints(message) : [] };
}

/** The patch without which there is least to complain of; the last one where no single one makes a difference. */
function worstPatch<M extends { readonly name: string }>(
  current: readonly EnvoyPatch[],
  complaints: readonly string[],
  attemptWith: (patches: readonly EnvoyPatch[]) => Attempt<M>,
): { readonly patch: EnvoyPatch; readonly next: Attempt<M> } | undefined {
  let worst: { readonly patch: EnvoyPatch; readonly next: Attempt<M> } | undefined;
  for (const patch of current) {
    const next = attemptWith(current.filter((one) => one !== patch));
    if (next.complaints.length < (worst?.next.complaints ?? complaints).length) worst = { patch, next };
    if (next.complaints.length === 0) break;
  }
  const last = current.at(-1);
  return worst ?? (last && { patch: last, next: attemptWith(current.slice(0, -1)) });
}

/**
 * Applies patches so that the result is one that Envoy takes. Should all of them together make something that it would
 * refuse, those that break it are left out, the worst first: the proxy keeps what works.
 */
function applyPatches<M extends { readonly name: string }>(
  patching: Patching<M>,
  patches: PatchSet,
  target: PatchTarget,
): Patched<M> {
  let result = attempt(patching, patches, target);
  if (result.complaints.length === 0) return result;
  // What was there before is no patch's fault.
  const tolerated = new Set(attempt(patching, groupPatches([]), target).complaints);
  const attemptWith = (list: readonly EnvoyPatch[]): Attempt<M> => {
    const next = attempt(patching, groupPatches(list), target);
    return { ...next, complaints: next.complaints.filter((text) => !tolerated.has(text)) };
  };
  const all = [...patches.values()].flat();
  const left = new Map<EnvoyPatch, string>();
  for (result = attemptWith(all); result.complaints.length > 0;) {
    const { complaints } = result;
    const current = all.filter((patch) => !left.has(patch));
    const worst = worstPatch(current, complaints, attemptWith);
    if (!worst) break;
    result = worst.next;
    left.set(worst.patch, complaints.find((text) => !worst.next.complaints.includes(text)) ?? complaints[0] ?? '');
  }
  const resource = patching.decode().name;
  const refused = all.flatMap((patch) => {
    const complaint = left.get(patch);
    return complaint === undefined ? [] : [{ patch, resource, message: `Envoy would refuse it: ${complaint}` }];
  });
  return { message: result.message, problems: [...result.problems, ...refused] };
}

export function applyToListener(bytes: Uint8Array, patches: PatchSet, target: PatchTarget): Patched<Listener> {
  const decode = () => fromBinary(ListenerSchema, bytes);
  return applyPatches({ decode, apply: patchListener, complaints: listenerComplaints }, patches, target);
}

export function applyToCluster(bytes: Uint8Array, patches: PatchSet, target: PatchTarget): Patched<Cluster> {
  const decode = () => fromBinary(ClusterSchema, bytes);
  return applyPatches({ decode, apply: patchCluster, complaints: clusterComplaints }, patches, target);
}

export function applyToRoutes(bytes: Uint8Array, patches: PatchSet, target: PatchTarget): Patched<RouteConfiguration> {
  const decode = () => fromBinary(RouteConfigurationSchema, bytes);
  const apply = (routes: RouteConfiguration, input: PatchInput) => {
    patchRouteConfiguration(routes, input);
    return routes;
  };
  return applyPatches({ decode, apply, complaints: routeComplaints }, patches, target);
}

const ofRoutes: readonly ApplyTo[] = ['ROUTE_CONFIGURATION', 'VIRTUAL_HOST', 'HTTP_ROUTE'];
const ofListeners: readonly ApplyTo[] = [
  'LISTENER',
  'LISTENER_FILTER',
  'FILTER_CHAIN',
  'NETWORK_FILTER',
  'HTTP_FILTER',
  'EXTENSION_CONFIG',
];

function some(
  sorts: readonly ApplyTo[],
  patches: PatchSet,
  target: PatchTarget,
  isMeant: (patch: EnvoyPatch) => boolean,
): boolean {
  const input = { ...target, patches, refuse: () => undefined };
  return sorts.some((applyTo) => patchesFor(input, applyTo).some(isMeant));
}

/** Whether a listener may be changed; inbound ones hold their routes. */
export function touchesListener(name: string, patches: PatchSet, target: PatchTarget): boolean {
  const byName = (patch: EnvoyPatch) =>
    (patch.applyTo !== 'LISTENER' || patch.operation !== 'ADD') && matchesListenerName(patch, name, target);
  if (some(ofListeners, patches, target, byName)) return true;
  return target.context === 'SIDECAR_INBOUND' && some(ofRoutes, patches, target, () => true);
}

export function touchesRoutes(name: string, patches: PatchSet, target: PatchTarget): boolean {
  return some(ofRoutes, patches, target, (patch) => matchesRouteConfiguration(patch, name, target));
}

export function touchesCluster(name: string, patches: PatchSet, target: PatchTarget): boolean {
  const byName = (patch: EnvoyPatch) => patch.operation !== 'ADD' && matchesCluster(patch, name, () => true);
  return some(['CLUSTER'], patches, target, byName);
}

function added<M extends { readonly name: string }>(
  list: (input: PatchInput) => readonly (readonly [EnvoyPatch, M])[],
  complaintsOf: (message: M) => readonly string[],
  patches: PatchSet,
  targets: readonly PatchTarget[],
): { readonly messages: readonly M[]; readonly problems: readonly PatchProblem[] } {
  const problems: PatchProblem[] = [];
  const messages = new Map<string, M>();
  const all = targets.flatMap((target) => list({ ...target, patches, refuse: () => undefined }));
  for (const [patch, message] of all) {
    const [complaint] = messages.has(message.name) ? ['the name is taken'] : complaintsOf(message);
    if (complaint === undefined) messages.set(message.name, message);
    else problems.push({ patch, resource: message.name, message: `Envoy would refuse it: ${complaint}` });
  }
  return { messages: [...messages.values()], problems };
}

/** The clusters that patches add to a proxy, over all parts of its config. */
export function clustersAdded(patches: PatchSet, targets: readonly PatchTarget[]) {
  return added(addedClusters, clusterComplaints, patches, targets);
}

export function listenersAdded(patches: PatchSet, targets: readonly PatchTarget[]) {
  return added(addedListeners, listenerComplaints, patches, targets);
}

export { clusterContext } from './match-cluster.js';
export { patchBootstrap } from './patch-bootstrap.js';
export {
  type ApplyTo,
  type EnvoyPatch,
  groupPatches,
  type PatchContext,
  type PatchSet,
  type PatchTarget,
  readPatches,
} from './patches.js';
