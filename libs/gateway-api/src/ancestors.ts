import type { gatewayApi } from '@seine/istio';
import { compareText } from '@seine/k8s';
import type { Context } from './context.js';
import { gatewayKind, kindOf, serviceKind } from './references.js';

interface AnyRoute {
  readonly parentRefs?: readonly gatewayApi.ParentReference[];
  readonly rules?: readonly { readonly backendRefs?: readonly gatewayApi.BackendRef[] }[];
}

export interface GatewayName {
  readonly namespace: string;
  readonly name: string;
}

/** Which Gateways send requests to a backend: policies of backends tell their status to each of them. */
export class Ancestors {
  readonly #gateways = new Map<string, Map<string, GatewayName>>();

  constructor({ inputs }: Context) {
    for (const kind of ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'])
      for (const { metadata, spec } of inputs.all<AnyRoute>(`gateway.networking.k8s.io/${kind}`)) {
        const gateways = (spec.parentRefs ?? [])
          .filter((ref) => kindOf(ref, gatewayKind) === gatewayKind)
          .map((ref) => ({ namespace: ref.namespace ?? metadata.namespace, name: ref.name }));
        for (const rule of spec.rules ?? [])
          for (const ref of rule.backendRefs ?? [])
            this.#add(backendKey(kindOf(ref, serviceKind), ref.namespace ?? metadata.namespace, ref.name), gateways);
      }
  }

  #add(backend: string, gateways: readonly GatewayName[]): void {
    const known = this.#gateways.get(backend) ?? new Map<string, GatewayName>();
    for (const gateway of gateways) known.set(`${gateway.namespace}/${gateway.name}`, gateway);
    this.#gateways.set(backend, known);
  }

  /** In order of namespace and name. @param kind `group/Kind` */
  of(kind: string, namespace: string, name: string): readonly GatewayName[] {
    const known = this.#gateways.get(backendKey(kind, namespace, name)) ?? new Map<string, GatewayName>();
    return [...known].sort(([a], [b]) => compareText(a, b)).map(([, gateway]) => gateway);
  }
}

function backendKey(kind: string, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}
