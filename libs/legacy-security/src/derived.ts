import type { AuthorizationPolicySpec, PeerAuthenticationSpec, RequestAuthenticationSpec } from '@seine/istio';
import { type ConfigObject, compareText, type ObjectKey, objectKeyOf } from '@seine/k8s';
import { derivedAnnotations } from '@seine/model';

interface Specs {
  readonly AuthorizationPolicy: AuthorizationPolicySpec;
  readonly PeerAuthentication: PeerAuthenticationSpec;
  readonly RequestAuthentication: RequestAuthenticationSpec;
}

export interface DerivedObject<K extends keyof Specs = keyof Specs> {
  readonly kind: K;
  readonly namespace: string;
  readonly name: string;
  readonly spec: Specs[K];
  /** What it was derived from. */
  readonly parents: readonly ConfigObject[];
  readonly annotations?: Readonly<Record<string, string>>;
}

const group = 'security.istio.io';

/** Kind/name.namespace, as Istio names what an object was derived from. */
function parentName({ kind, metadata }: ConfigObject): string {
  return metadata.namespace === '' ? `${kind}/${metadata.name}` : `${kind}/${metadata.name}.${metadata.namespace}`;
}

/**
 * The objects of one translation. Names are the readable ones that Istio's converter gives; where a user's object or
 * another derived one has the name already, it gets an ending that no user's object can have.
 */
export class DerivedObjects {
  readonly #objects = new Map<ObjectKey, ConfigObject>();
  readonly #parents = new Map<ConfigObject, readonly ConfigObject[]>();

  /** @param isTaken whether a user's object has a key */
  constructor(private readonly isTaken: (key: ObjectKey) => boolean) {}

  add<K extends keyof Specs>({ kind, namespace, name, spec, parents, annotations }: DerivedObject<K>): void {
    const keyOf = (candidate: string): ObjectKey => objectKeyOf(group, kind, namespace, candidate);
    const isFree = (candidate: string): boolean =>
      !this.#objects.has(keyOf(candidate)) && !this.isTaken(keyOf(candidate));
    let free = name;
    for (let i = 1; !isFree(free); i++) free = `${name}~${i}`;
    const [oldest] = parents.map(({ metadata }) => metadata.creationTimestamp ?? '').sort(compareText);
    const object: ConfigObject = {
      apiVersion: `${group}/v1`,
      kind,
      metadata: {
        name: free,
        namespace,
        ...(oldest && { creationTimestamp: oldest }),
        annotations: { [derivedAnnotations.parents]: parents.map(parentName).join(','), ...annotations },
      },
      spec,
    };
    this.#objects.set(keyOf(free), object);
    this.#parents.set(object, parents);
  }

  all(): readonly ConfigObject[] {
    return [...this.#objects.values()];
  }

  /** What was derived from an object. */
  of(parent: ConfigObject): readonly ConfigObject[] {
    return this.all().filter((object) => this.#parents.get(object)?.includes(parent));
  }
}
