import type { RbacConfig } from '@seine/istio';
import { type ConfigObject, fieldsOf, type Labels, labelsOf } from '@seine/k8s';
import type { DerivedObjects } from '../derived.js';
import type { Inputs } from '../input.js';
import type { Messages } from '../messages.js';
import type { Service } from '../service.js';

/** Whether the policies of what is derived are only counted and logged (Istio's annotation). */
export const dryRun = { 'istio.io/dry-run': 'true' } as const;

/** Where roles decide who may call. */
export interface Enforcement {
  readonly config: RbacConfig;
  /** Whether they decide for all services of a namespace, those to come included. */
  readonly wholeNamespace: (namespace: string) => boolean;
  readonly service: (service: Service) => boolean;
  readonly permissive: boolean;
}

/** Undefined where roles decide nothing: no settings, or OFF. */
export function enforcementOf(inputs: Inputs, messages: Messages): Enforcement | undefined {
  const [config, ...others] = inputs.rbacConfigs();
  for (const other of others)
    messages.warn(
      other,
      'spec',
      `${config?.kind} ${config?.metadata.name} is in force in its place: there is one for the mesh.`,
    );
  const mode = config?.spec.mode ?? 'OFF';
  if (!config || mode === 'OFF') return undefined;
  const { inclusion, exclusion, enforcementMode } = config.spec;
  const included = new Set(inclusion?.namespaces);
  const includedServices = new Set(inclusion?.services);
  const excluded = new Set(exclusion?.namespaces);
  const excludedServices = new Set(exclusion?.services);
  const namespaceIn = (namespace: string): boolean =>
    mode === 'ON_WITH_INCLUSION' ? included.has(namespace) : mode === 'ON' || !excluded.has(namespace);
  const isExcluded = ({ host }: Service): boolean => mode === 'ON_WITH_EXCLUSION' && excludedServices.has(host);
  return {
    config,
    wholeNamespace: (namespace) =>
      // Policies of the root namespace are for all namespaces, so its own services are named one by one.
      namespace !== inputs.options.rootNamespace &&
      namespaceIn(namespace) &&
      !inputs.services(namespace).some(isExcluded),
    service: (service) =>
      mode === 'ON_WITH_INCLUSION'
        ? included.has(service.namespace) || includedServices.has(service.host)
        : namespaceIn(service.namespace) && !isExcluded(service),
    permissive: enforcementMode === 'PERMISSIVE',
  };
}

/** The AuthorizationPolicies that roles are exceptions to: nobody may call what is enforced. */
export function addEnforcement(
  { config, permissive }: Enforcement,
  inputs: Inputs,
  derived: DerivedObjects,
  messages: Messages,
): void {
  const { mode, inclusion, exclusion } = config.spec;
  const { rootNamespace } = inputs.options;
  const add = (namespace: string, name: string, allow: boolean, labels?: Labels): void => {
    const selector = labels && { selector: { matchLabels: labels } };
    const spec = { ...selector, ...(allow && { rules: [{}] }) };
    const annotations = permissive ? dryRun : {};
    derived.add({ kind: 'AuthorizationPolicy', namespace, name, spec, parents: [config], annotations });
  };
  const addTarget = (target: typeof inclusion, field: string, allow: boolean): void => {
    const ending = allow ? 'allow-all' : 'deny-all';
    const addService = ({ namespace, name, selector }: Service): void => {
      if (selector) add(namespace, `service-${name}-${ending}`, allow, selector);
    };
    for (const namespace of target?.namespaces ?? [])
      if (namespace === rootNamespace) inputs.services(namespace).forEach(addService);
      else add(namespace, `${namespace}-${ending}`, allow);
    (target?.services ?? []).forEach((host, i) => {
      const service = serviceOf(host, inputs);
      if (service?.selector) addService(service);
      else
        messages.warn(
          config,
          `spec.${field}.services[${i}]`,
          service
            ? `Service ${host} selects no workloads.`
            : `There is no Service ${host}; services are named in full, as mongodb.default.svc.${inputs.options.clusterDomain}.`,
        );
    });
  };
  if (mode === 'ON_WITH_INCLUSION') {
    addTarget(inclusion, 'inclusion', false);
    return;
  }
  add(rootNamespace, 'global-deny-all', false);
  // Roles were for sidecars; today's policies of the root namespace are for gateways as well.
  for (const labels of inputs.gatewaySelectors().filter((selector) => !isAllowedOtherwise(selector, inputs)))
    add(rootNamespace, `gateway-${Object.values(labels).join('-')}-allow-all`, true, labels);
  if (mode === 'ON_WITH_EXCLUSION') addTarget(exclusion, 'exclusion', true);
}

function serviceOf(host: string, inputs: Inputs): Service | undefined {
  const [name = '', namespace = ''] = host.split('.');
  const service = inputs.service(namespace, name);
  return service?.host === host ? service : undefined;
}

/** Whether an ALLOW policy that a user wrote may be for the workloads of a gateway: then it says who may call them. */
function isAllowedOtherwise(gateway: Labels, inputs: Inputs): boolean {
  return inputs.allowPolicies().some((policy: ConfigObject) => {
    const labels = labelsOf(fieldsOf(fieldsOf(policy.spec)['selector'])['matchLabels']);
    return Object.entries(labels).every(([key, value]) => gateway[key] === value);
  });
}
