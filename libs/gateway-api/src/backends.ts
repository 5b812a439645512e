import type { Destination, gatewayApi } from '@seine/istio';
import type { Problem } from './condition.js';
import type { Context } from './context.js';
import type { Backend } from './input.js';
import { backendKind, hostnameKind, inferencePoolKind, kindOf, serviceImportKind, serviceKind } from './references.js';

/** Whose backend it is. */
export interface BackendOwner {
  /** `HTTPRoute` and so on. */
  readonly kind: string;
  readonly namespace: string;
  /** Whether other namespaces must let theirs be named: not for traffic inside the mesh, where anybody may call anybody. */
  readonly needsGrant: boolean;
}

/**
 * Where a backend is. With a `problem` alone the backend answers errors, and others of the rule stay; a `failure` spoils
 * the rule. A destination without a host is one that is never there.
 */
export type ResolvedBackend =
  { readonly destination: Destination; readonly problem?: Problem | undefined } | { readonly failure: Problem };

const nowhere: Destination = { host: '' };

const notFound = (what: string): Problem => ({ reason: 'BackendNotFound', message: `backend(${what}) not found` });
const invalid = (message: string): ResolvedBackend => ({ failure: { reason: 'InvalidDestination', message } });

export function resolveBackend(
  ref: gatewayApi.BackendObjectReference,
  owner: BackendOwner,
  context: Context,
): ResolvedBackend {
  const kind = kindOf(ref, serviceKind);
  const namespace = ref.namespace ?? owner.namespace;
  const from = { kind: `gateway.networking.k8s.io/${owner.kind}`, namespace: owner.namespace };
  if (owner.needsGrant && !context.grants.allows(from, { kind, namespace, name: ref.name }))
    return {
      destination: nowhere,
      problem: {
        reason: 'RefNotPermitted',
        message: `backendRef ${ref.name}/${namespace} not accessible to a ${owner.kind} in namespace "${owner.namespace}" (missing a ReferenceGrant?)`,
      },
    };
  switch (kind) {
    case serviceKind:
      if (ref.name.includes('.'))
        return invalid('service name invalid; the name of the Service must be used, not the hostname.');
      return service(ref, namespace, context);
    case serviceImportKind:
      return service(ref, namespace, context);
    case hostnameKind:
      return hostname(ref, namespace, context);
    case backendKind:
      return externalBackend(ref, namespace, context);
    default:
      return { destination: nowhere, problem: unknownKind(kind, ref) };
  }
}

function unknownKind(kind: string, { group = '', kind: name = '' }: gatewayApi.BackendObjectReference): Problem {
  const message =
    kind === inferencePoolKind
      ? 'InferencePool is not supported'
      : `referencing unsupported backendRef: group "${group}" kind "${name}"`;
  return { reason: 'InvalidKind', message };
}

function withPort(
  host: string,
  { port }: gatewayApi.BackendObjectReference,
  problem: Problem | undefined,
): ResolvedBackend {
  if (port === undefined) return invalid('port is required in backendRef');
  return { destination: { host, port: { number: port } }, problem };
}

function service(
  ref: gatewayApi.BackendObjectReference,
  namespace: string,
  { inputs, options }: Context,
): ResolvedBackend {
  const host = `${ref.name}.${namespace}.svc.${options.clusterDomain}`;
  return withPort(host, ref, inputs.find(serviceKind, namespace, ref.name) ? undefined : notFound(host));
}

function hostname(ref: gatewayApi.BackendObjectReference, namespace: string, context: Context): ResolvedBackend {
  if (ref.namespace !== undefined) return invalid('namespace may not be set with Hostname type');
  return withPort(ref.name, ref, isDeclared(ref.name, namespace, context) ? undefined : notFound(ref.name));
}

/** Whether a ServiceEntry of the namespace has the host. */
function isDeclared(host: string, namespace: string, { inputs }: Context): boolean {
  return inputs
    .all<{ readonly hosts?: readonly string[] }>('networking.istio.io/ServiceEntry')
    .some(({ metadata, spec }) => metadata.namespace === namespace && spec.hosts?.includes(host));
}

function externalBackend(
  { name, port }: gatewayApi.BackendObjectReference,
  namespace: string,
  { inputs }: Context,
): ResolvedBackend {
  const backend = inputs.find(backendKind, namespace, name) as Backend | undefined;
  if (!backend) return { destination: nowhere, problem: notFound(name) };
  const { type, externalHostname, port: own } = backend.spec;
  if (type !== 'ExternalHostname' || !externalHostname)
    return {
      destination: nowhere,
      problem: { reason: 'InvalidKind', message: `backend(${name}) type: expected ExternalHostname, got ${type}` },
    };
  if (port !== undefined && port !== own.port)
    return {
      destination: nowhere,
      problem: {
        reason: 'BackendNotFound',
        message: `backend(${name}) does not expose port ${port}, expected ${own.port}`,
      },
    };
  return { destination: { host: externalHostname.hostname, port: { number: own.port } } };
}

/** A backend with its share of the requests. */
export interface WeighedBackend<T> {
  readonly ref: T;
  /** Undefined where it is the only one. */
  readonly weight: number | undefined;
}

/** The backends that get something. Empty: nobody does. */
export function weighed<T extends { readonly weight?: number | undefined }>(
  refs: readonly T[] | undefined,
): readonly WeighedBackend<T>[] {
  const active = (refs ?? []).filter(({ weight = 1 }) => weight > 0);
  return active.map((ref) => ({ ref, weight: active.length === 1 ? undefined : (ref.weight ?? 1) }));
}
