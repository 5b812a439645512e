import type { gatewayApi } from '@seine/istio';
import { allowsListenersOf } from './allowed-routes.js';
import type { Context } from './context.js';
import type { Gateway, ListenerSet } from './input.js';
import { gatewayKind, kindOf } from './references.js';

export type ConflictReason = 'ProtocolConflict' | 'HostnameConflict';

/** Listeners that lose against an earlier one of the same Gateway, by owner and name. */
export type Conflicts = ReadonlyMap<Gateway | ListenerSet, ReadonlyMap<string, ConflictReason>>;

/** The port of a ListenerSet's listener may follow from its protocol; undefined: it does not. */
export function listenerPort({ port, protocol }: gatewayApi.ListenerEntry): number | undefined {
  return port ?? { HTTP: 80, HTTPS: 443 }[protocol];
}

/** `namespace/name` of the Gateway that a ListenerSet adds to; undefined for one that adds to something else. */
export function parentGatewayOf({ metadata, spec }: ListenerSet): string | undefined {
  if (kindOf(spec.parentRef, gatewayKind) !== gatewayKind) return undefined;
  return `${spec.parentRef.namespace ?? metadata.namespace}/${spec.parentRef.name}`;
}

interface Candidate {
  readonly owner: Gateway | ListenerSet;
  readonly listener: gatewayApi.Listener;
}

function isL4(protocol: string): boolean {
  return protocol === 'TCP' || protocol === 'UDP';
}

function isByHost(protocol: string): boolean {
  return protocol === 'HTTP' || protocol === 'HTTPS' || protocol === 'TLS';
}

/** Whether two listeners can be told apart. */
function areDistinct(a: gatewayApi.Listener, b: gatewayApi.Listener): boolean {
  if (a.port !== b.port) return true;
  if (isL4(a.protocol) || isL4(b.protocol)) {
    const known = [a, b].every(({ protocol }) => isL4(protocol) || isByHost(protocol));
    return !known && a.protocol !== b.protocol;
  }
  if (isByHost(a.protocol) && isByHost(b.protocol)) return (a.hostname ?? '*') !== (b.hostname ?? '*');
  return a.protocol !== b.protocol;
}

function reasonOf(a: gatewayApi.Listener, b: gatewayApi.Listener): ConflictReason {
  if (isL4(a.protocol) && isL4(b.protocol)) return 'ProtocolConflict';
  return a.protocol === b.protocol ? 'HostnameConflict' : 'ProtocolConflict';
}

function candidates(gateway: Gateway, sets: readonly ListenerSet[]): Candidate[] {
  return [
    ...gateway.spec.listeners.map((listener) => ({ owner: gateway, listener })),
    ...sets.flatMap((owner) =>
      owner.spec.listeners.map((entry) => ({ owner, listener: { ...entry, port: listenerPort(entry) ?? 0 } })),
    ),
  ];
}

/**
 * The Gateway's own listeners go first, then those of ListenerSets that it takes, oldest first. One that loses takes
 * nothing from those after it.
 * @param sets all that name the Gateway, oldest first
 */
export function listenerConflicts(gateway: Gateway, sets: readonly ListenerSet[], context: Context): Conflicts {
  const conflicts = new Map<Gateway | ListenerSet, Map<string, ConflictReason>>();
  const accepted: gatewayApi.Listener[] = [];
  const taken = sets.filter(({ metadata }) => allowsListenersOf(metadata.namespace, gateway, context));
  for (const { owner, listener } of candidates(gateway, taken)) {
    const prior = accepted.find((other) => !areDistinct(listener, other));
    if (!prior) {
      accepted.push(listener);
      continue;
    }
    const own = conflicts.get(owner) ?? new Map<string, ConflictReason>();
    own.set(listener.name, reasonOf(listener, prior));
    conflicts.set(owner, own);
  }
  return conflicts;
}
