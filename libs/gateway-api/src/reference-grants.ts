import type { gatewayApi } from '@seine/istio';
import type { Inputs } from './input.js';
import { backendKind, configMapKind, inferencePoolKind, kindOf, secretKind, serviceKind } from './references.js';

/** Kinds that may name something of another namespace, if they are let. */
const referring: ReadonlySet<string> = new Set(
  ['Gateway', 'HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'ListenerSet'].map(
    (kind) => `gateway.networking.k8s.io/${kind}`,
  ),
);
const referred: ReadonlySet<string> = new Set([configMapKind, secretKind, serviceKind, backendKind, inferencePoolKind]);

/** An object of some kind in a namespace. */
export interface Referrer {
  /** `group/Kind` */
  readonly kind: string;
  readonly namespace: string;
}

export interface Referent extends Referrer {
  readonly name: string;
}

/** Who may name what across namespaces (kind ReferenceGrant). */
export class ReferenceGrants {
  /** Names by who may name them; `undefined` among them stands for all. */
  readonly #allowed = new Map<string, Set<string | undefined>>();

  constructor(inputs: Inputs) {
    const grants = inputs.all<gatewayApi.ReferenceGrantSpec>('gateway.networking.k8s.io/ReferenceGrant');
    for (const { metadata, spec } of grants)
      for (const from of spec.from)
        for (const to of spec.to) {
          const [fromKind, toKind] = [kindOf(from), kindOf(to)];
          if (!referring.has(fromKind) || !referred.has(toKind)) continue;
          const key = pairKey({ kind: fromKind, namespace: from.namespace }, { kind: toKind, ...metadata });
          const names = this.#allowed.get(key) ?? new Set();
          names.add(to.name || undefined);
          this.#allowed.set(key, names);
        }
  }

  /** Whether an object may name another. Within a namespace everything may. */
  allows(from: Referrer, to: Referent): boolean {
    if (from.namespace === to.namespace) return true;
    const names = this.#allowed.get(pairKey(from, to));
    return names !== undefined && (names.has(undefined) || names.has(to.name));
  }
}

function pairKey(from: Referrer, to: Referrer): string {
  return `${from.kind}/${from.namespace} ${to.kind}/${to.namespace}`;
}
