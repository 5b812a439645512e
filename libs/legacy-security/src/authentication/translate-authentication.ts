import type { AuthenticationPolicy } from '@seine/istio';
import type { DerivedObjects } from '../derived.js';
import type { Inputs } from '../input.js';
import type { Messages } from '../messages.js';
import type { Service } from '../service.js';
import { hasOrigins } from './methods.js';
import { addTokens, type TokenScope } from './origins.js';
import { addScopePeers, addServicePeers } from './peers.js';
import { servicePolicies, type ServicePolicies } from './targets.js';

interface Context {
  readonly inputs: Inputs;
  readonly derived: DerivedObjects;
  readonly messages: Messages;
  readonly byService: ReadonlyMap<string, ServicePolicies>;
  readonly ofNamespace: ReadonlyMap<string, AuthenticationPolicy>;
}

/**
 * Policy and MeshPolicy. For one port of a service exactly one of them was in force: that of the port, of the service, of
 * the namespace, or of the mesh. PeerAuthentications have the same precedence; RequestAuthentications and
 * AuthorizationPolicies add up, so those of a namespace or the mesh are given to its services one by one where others go
 * before them.
 */
export function translateAuthentication(inputs: Inputs, derived: DerivedObjects, messages: Messages): void {
  const byService = servicePolicies(inputs, messages);
  const defaults = inputs.policies().filter(({ spec }) => !spec.targets?.length);
  const ofNamespace = new Map([...defaults].reverse().map((policy) => [policy.metadata.namespace, policy]));
  const mesh = inputs.meshPolicy();
  const context: Context = { inputs, derived, messages, byService, ofNamespace };
  addScopePeers(mesh, [], inputs.options.rootNamespace, derived);
  if (mesh && hasOrigins(mesh)) addMeshTokens(mesh, context);
  const { rootNamespace } = inputs.options;
  for (const [namespace, policy] of ofNamespace) {
    if (namespace === rootNamespace) addRootPeers(policy, mesh, context);
    else addScopePeers(policy, [mesh], namespace, derived);
    if (hasOrigins(policy)) addNamespaceTokens(policy, namespace, context);
  }
  for (const entry of byService.values()) {
    const behind = ofNamespace.get(entry.service.namespace);
    if (!behind || entry.service.namespace !== rootNamespace) addServicePeers(entry, [behind, mesh], derived);
    addOwnTokens(entry, context);
  }
}

/** A PeerAuthentication of the root namespace is for the mesh: what is for that namespace alone is for its services. */
function addRootPeers(
  policy: AuthenticationPolicy,
  mesh: AuthenticationPolicy | undefined,
  { inputs, byService, derived }: Context,
): void {
  const { namespace } = policy.metadata;
  for (const service of inputs.services(namespace)) {
    const own = byService.get(`${namespace}/${service.name}`);
    const entry = {
      service,
      whole: own?.whole ?? policy,
      byPort: own?.byPort ?? new Map<number, AuthenticationPolicy>(),
    };
    if (service.selector) addServicePeers(entry, own?.whole ? [policy, mesh] : [mesh], derived);
  }
}

/** Whether what a namespace asks for holds for all ports of all its services alike. */
function isPlain(namespace: string, { inputs, byService }: Context): boolean {
  return inputs
    .services(namespace)
    .every(({ name, ports }) => !byService.has(`${namespace}/${name}`) && ports.every(({ http }) => http));
}

function addMeshTokens(mesh: AuthenticationPolicy, context: Context): void {
  const { inputs, ofNamespace, derived, messages } = context;
  const namespaces = inputs.namespaces();
  if (ofNamespace.size === 0 && namespaces.every((namespace) => isPlain(namespace, context))) {
    addTokens(mesh, { namespace: inputs.options.rootNamespace, name: mesh.metadata.name }, derived, messages);
    return;
  }
  for (const namespace of namespaces) if (!ofNamespace.has(namespace)) addNamespaceTokens(mesh, namespace, context);
}

function addNamespaceTokens(policy: AuthenticationPolicy, namespace: string, context: Context): void {
  const { inputs, byService, derived, messages } = context;
  const { name } = policy.metadata;
  // Policies of the root namespace would be in force everywhere.
  const isRoot = namespace === inputs.options.rootNamespace;
  if (!isRoot && isPlain(namespace, context)) {
    addTokens(policy, { namespace, name }, derived, messages);
    return;
  }
  for (const service of inputs.services(namespace)) {
    const own = byService.get(`${namespace}/${service.name}`);
    if (own?.whole) continue;
    addServiceTokens(policy, service, { notPorts: [...(own?.byPort.keys() ?? [])] }, own, context);
  }
}

/** The tokens that policies of a service and its ports ask for. */
function addOwnTokens(entry: ServicePolicies, context: Context): void {
  const { service, whole, byPort } = entry;
  if (whole) addServiceTokens(whole, service, { notPorts: [...byPort.keys()] }, entry, context);
  for (const policy of new Set(byPort.values())) {
    const ports = [...byPort].filter(([, other]) => other === policy).map(([port]) => port);
    addServiceTokens(policy, service, { ports }, entry, context);
  }
}

function addServiceTokens(
  policy: AuthenticationPolicy,
  service: Service,
  limit: Pick<TokenScope, 'ports' | 'notPorts'>,
  entry: ServicePolicies | undefined,
  { derived, messages }: Context,
): void {
  if (!service.selector || !hasOrigins(policy)) return;
  const scope = {
    namespace: service.namespace,
    name: `${policy.metadata.name}-${service.name}`,
    selector: service.selector,
    shared: (entry?.byPort.size ?? 0) > 0,
  };
  // Connections that carry no requests have no tokens; a rule on tokens would refuse all of them.
  const others = service.ports.flatMap(({ http, target }) => (http || target === undefined ? [] : [target]));
  if (others.length > 0 && others.length === service.ports.length) return;
  const notPorts = [...new Set([...(limit.notPorts ?? []), ...(limit.ports ? [] : others)])];
  const ports = limit.ports?.filter((port) => !others.includes(port));
  if (ports?.length === 0) return;
  addTokens(policy, { ...scope, ...(ports && { ports }), ...(notPorts.length > 0 && { notPorts }) }, derived, messages);
}
