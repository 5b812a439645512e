import type { gatewayApi } from '@seine/istio';
import { type Condition, setConditions } from './condition.js';
import type { GatewayClass, Inputs, TranslateOptions } from './input.js';

/** What a controller name stands for. */
export interface ClassInfo {
  readonly controllerName: string;
  /** Programmed elsewhere: nothing is made of its Gateways. */
  readonly remote?: true;
  readonly listenerSets?: true;
  /** The names of what is deployed end with the class. */
  readonly nameSuffix?: true;
  /** Which of its internal addresses a Gateway shows; undefined: both. */
  readonly addressType?: 'Hostname';
}

export const gatewayController = 'istio.io/gateway-controller';
export const meshController = 'istio.io/mesh-controller';
export const eastWestController = 'istio.io/eastwest-controller';

const ownClasses: readonly ClassInfo[] = [
  { controllerName: gatewayController, listenerSets: true, nameSuffix: true, addressType: 'Hostname' },
  { controllerName: 'istio.io/unmanaged-gateway', remote: true, nameSuffix: true, addressType: 'Hostname' },
];
const ambientClasses: readonly ClassInfo[] = [
  { controllerName: meshController },
  { controllerName: eastWestController },
];

/** Classes that are there even if nobody made them. */
const builtin: Readonly<Record<string, string>> = {
  istio: gatewayController,
  'istio-remote': 'istio.io/unmanaged-gateway',
  'istio-waypoint': meshController,
  'istio-east-west': eastWestController,
};

/** The classes of Gateways that are ours. */
export class GatewayClasses {
  readonly #infos: ReadonlyMap<string, ClassInfo>;
  readonly #controllers: ReadonlyMap<string, string>;

  constructor(
    readonly objects: readonly GatewayClass[],
    ambient: boolean,
  ) {
    const infos = ambient ? [...ownClasses, ...ambientClasses] : ownClasses;
    this.#infos = new Map(infos.map((info) => [info.controllerName, info]));
    this.#controllers = new Map(objects.map(({ metadata, spec }) => [metadata.name, spec.controllerName]));
  }

  static of(inputs: Inputs, { ambient = false }: TranslateOptions): GatewayClasses {
    return new GatewayClasses(
      inputs.all<gatewayApi.GatewayClassSpec>('gateway.networking.k8s.io/GatewayClass'),
      ambient,
    );
  }

  /** Undefined for a class that somebody else serves, or that is not there. */
  find(name: string): ClassInfo | undefined {
    const controller = this.#controllers.get(name) ?? builtin[name];
    return controller === undefined ? undefined : this.#infos.get(controller);
  }

  serves({ spec }: GatewayClass): boolean {
    return this.#infos.has(spec.controllerName);
  }
}

interface ClassStatus {
  readonly conditions?: readonly Condition[];
}

export function gatewayClassStatus({ metadata, status }: GatewayClass, now: string): ClassStatus {
  const existing = (status as ClassStatus | undefined)?.conditions;
  return {
    ...(status as object | undefined),
    conditions: setConditions(
      existing,
      { Accepted: { reason: 'Accepted', message: 'Handled by Istio controller' } },
      { generation: metadata.generation, now },
    ),
  };
}
