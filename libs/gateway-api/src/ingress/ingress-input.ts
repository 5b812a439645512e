import type { MeshConfig } from '@seine/model';
import { compareText, type ConfigObject, groupOf } from '@seine/k8s';

/** Kubernetes Ingress (networking.k8s.io/v1), as far as it is read; the fields satisfy its schema. */

export interface IngressBackend {
  readonly service?: {
    readonly name: string;
    readonly port?: { readonly name?: string; readonly number?: number };
  };
}

export interface IngressPath {
  readonly path?: string;
  readonly pathType?: 'Exact' | 'Prefix' | 'ImplementationSpecific';
  readonly backend?: IngressBackend;
}

export interface IngressRule {
  readonly host?: string;
  readonly http?: { readonly paths?: readonly IngressPath[] };
}

export interface IngressSpec {
  readonly ingressClassName?: string;
  readonly defaultBackend?: IngressBackend;
  readonly tls?: readonly { readonly hosts?: readonly string[]; readonly secretName?: string }[];
  readonly rules?: readonly IngressRule[];
}

export type Ingress = ConfigObject<IngressSpec>;

/** The settings of the mesh that Ingresses depend on. */
export type IngressOptions = Pick<
  MeshConfig,
  'clusterDomain' | 'rootNamespace' | 'ingressClass' | 'ingressService' | 'ingressSelector' | 'ingressControllerMode'
>;

const group = 'networking.k8s.io';

export function isIngress({ apiVersion, kind }: Pick<ConfigObject, 'apiVersion' | 'kind'>): boolean {
  return kind === 'Ingress' && groupOf(apiVersion) === group;
}

function isIngressClass({ apiVersion, kind }: Pick<ConfigObject, 'apiVersion' | 'kind'>): boolean {
  return kind === 'IngressClass' && groupOf(apiVersion) === group;
}

/** Whether the translation of Ingresses reads an object. */
export function isReadWithIngress(object: Pick<ConfigObject, 'apiVersion' | 'kind'>): boolean {
  return (
    isIngress(object) || isIngressClass(object) || (object.kind === 'Service' && groupOf(object.apiVersion) === '')
  );
}

const istioController = 'istio.io/ingress-controller';
const classAnnotation = 'kubernetes.io/ingress.class';

/** The controllers of IngressClasses, by name. */
function classesOf(objects: readonly ConfigObject[]): ReadonlyMap<string, string> {
  return new Map(
    objects
      .filter(isIngressClass)
      .map(({ metadata, spec }) => [
        metadata.name,
        (spec as { readonly controller?: string } | undefined)?.controller ?? '',
      ]),
  );
}

/** The annotation goes before the class; without either, Ingresses are ours in mode DEFAULT only. */
function isOurs(
  { metadata, spec }: Ingress,
  classes: ReadonlyMap<string, string>,
  { ingressClass = 'istio', ingressControllerMode: mode = 'STRICT' }: IngressOptions,
): boolean {
  const annotation = metadata.annotations?.[classAnnotation];
  if (annotation !== undefined) return mode !== 'OFF' && annotation === ingressClass;
  const className = spec?.ingressClassName;
  const controller = className === undefined ? undefined : classes.get(className);
  if (controller !== undefined) return controller === istioController;
  // Outside Kubernetes nobody makes the class of the mesh's own name.
  if (className !== undefined && className === ingressClass) return mode !== 'OFF';
  return mode === 'DEFAULT' && className === undefined;
}

/** The Ingresses that are the mesh's, oldest first. */
export function ownIngresses(objects: readonly ConfigObject[], options: IngressOptions): readonly Ingress[] {
  const classes = classesOf(objects);
  const own = objects.filter(isIngress).map((object) => object as Ingress);
  return own
    .filter((ingress) => isOurs(ingress, classes, options))
    .sort(
      (a, b) =>
        compareText(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
        compareText(a.metadata.name, b.metadata.name) ||
        compareText(a.metadata.namespace, b.metadata.namespace),
    );
}

/** The labels of the gateway that Ingresses are for. */
export function ingressSelector({
  ingressSelector: selector,
  ingressService: service,
}: IngressOptions): Readonly<Record<string, string>> {
  if (selector) return { istio: selector };
  return { istio: service && service !== 'istio-ingressgateway' ? service : 'ingressgateway' };
}
