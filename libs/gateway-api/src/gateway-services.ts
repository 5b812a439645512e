import type { gatewayApi } from '@seine/istio';
import { type ConfigObject, fieldsOf, itemsOf, portOf, textOf, textsOf } from '@seine/k8s';
import { joinWords, type Problem, type Verdict } from './condition.js';
import type { Context } from './context.js';
import type { ClassInfo } from './gateway-classes.js';
import type { Gateway } from './input.js';
import { serviceKind } from './references.js';

/** Who serves a Gateway: Services by their hosts. */
export interface GatewayServices {
  readonly hosts: readonly string[];
  /** Set where the Gateway's own Service is not there, and a gateway that others use too serves it: its labels. */
  readonly sharedGateway?: Readonly<Record<string, string>> | undefined;
  /** An address that cannot be followed; the others are all the same. */
  readonly problem?: Problem | undefined;
}

/** Whether a Gateway is deployed for itself; otherwise a single Hostname names the Service of one that is there already. */
export function isManaged({ addresses = [] }: gatewayApi.GatewaySpec): boolean {
  const [first, ...others] = addresses;
  if (!first) return true;
  return others.length === 0 && (first.type ?? 'IPAddress') === 'IPAddress';
}

/** The name of what is deployed for a managed Gateway: its Service, Deployment and service account. */
export function deploymentName({ metadata, spec }: Gateway, info: ClassInfo, annotation: string): string {
  const written = metadata.annotations?.[annotation];
  if (written) return written;
  return info.nameSuffix ? `${metadata.name}-${spec.gatewayClassName}` : metadata.name;
}

const nameOverride = 'gateway.istio.io/name-override';
const accountAnnotation = 'gateway.istio.io/service-account';
const oldServiceType = 'networking.istio.io/service-type';

/** The service account of a managed Gateway's workloads; empty where they are somebody else's. */
export function serviceAccountOf(gateway: Gateway, info: ClassInfo): string {
  return isManaged(gateway.spec) ? deploymentName(gateway, info, accountAnnotation) : '';
}

function fullHost(name: string, namespace: string, { options }: Context): string {
  return `${name}.${namespace}.svc.${options.clusterDomain}`;
}

/** The Service of a host in the cluster. */
function kubernetesService(host: string, { inputs, options }: Context): ConfigObject | undefined {
  const suffix = `.svc.${options.clusterDomain}`;
  if (!host.endsWith(suffix)) return undefined;
  const [name = '', namespace = '', ...rest] = host.slice(0, -suffix.length).split('.');
  return rest.length === 0 ? inputs.find(serviceKind, namespace, name) : undefined;
}

export function gatewayServices(gateway: Gateway, info: ClassInfo, context: Context): GatewayServices {
  const { namespace } = gateway.metadata;
  if (isManaged(gateway.spec)) {
    const own = fullHost(deploymentName(gateway, info, nameOverride), namespace, context);
    const { sharedGateway } = context.options;
    if (!sharedGateway || !info.nameSuffix || kubernetesService(own, context)) return { hosts: [own] };
    return { hosts: context.sharedHosts(), sharedGateway };
  }
  const addresses = gateway.spec.addresses ?? [];
  const isHostname = ({ type }: (typeof addresses)[number]): boolean => (type ?? 'Hostname') === 'Hostname';
  const hosts = addresses
    .filter(isHostname)
    .map(({ value = '' }) => (value.includes('.') ? value : fullHost(value, namespace, context)));
  const skipped = addresses.filter((address) => !isHostname(address)).map(({ value }) => value ?? '');
  if (skipped.length > 0)
    return {
      hosts,
      problem: {
        reason: 'UnsupportedAddress',
        message: `only Hostname is supported, ignoring [${skipped.join(' ')}]`,
      },
    };
  if (gateway.metadata.annotations?.[oldServiceType] !== undefined)
    return {
      hosts,
      problem: {
        reason: 'DeprecatedField',
        message: `annotation ${oldServiceType} is deprecated, use Spec.Infrastructure.Routeability`,
      },
    };
  return { hosts };
}

/** Where a Gateway is reached, and why perhaps not everywhere. */
export interface GatewayInstances {
  /** `host:port` */
  readonly internal: readonly string[];
  readonly internalAddresses: readonly string[];
  readonly external: readonly string[];
  /** Hosts that wait for an address from outside. */
  readonly pending: readonly string[];
  readonly warnings: readonly string[];
  /** False where what is asked for cannot come by waiting. */
  readonly usable: boolean;
}

interface Found {
  readonly internal: Set<string>;
  readonly internalAddresses: Set<string>;
  readonly external: Set<string>;
  readonly pending: Set<string>;
  readonly warnings: string[];
  unusable: boolean;
}

const sorted = (values: Set<string>): readonly string[] => [...values].sort();

/** Looks up the instances behind a Gateway's Services, of which each listener's port should have some. */
export function gatewayInstances(
  namespace: string,
  services: GatewayServices,
  ports: readonly number[],
  context: Context,
): GatewayInstances {
  const found: Found = {
    internal: new Set(),
    internalAddresses: new Set(),
    external: new Set(),
    pending: new Set(),
    warnings: [],
    unusable: false,
  };
  for (const host of services.hosts) {
    const service = servingObject(host, namespace, services, found, context);
    if (service) for (const port of new Set(ports)) lookAtPort(host, port, service, services, found, context);
  }
  return {
    internal: sorted(found.internal),
    internalAddresses: sorted(found.internalAddresses),
    external: sorted(found.external),
    pending: sorted(found.pending),
    warnings: found.warnings.sort(),
    usable: !found.unusable,
  };
}

/** The Service or ServiceEntry of a host; a shared gateway's may be in any namespace. */
function servingObject(
  host: string,
  namespace: string,
  { sharedGateway }: GatewayServices,
  found: Found,
  context: Context,
): ConfigObject | undefined {
  const service = kubernetesService(host, context);
  const owners = service
    ? [service]
    : context.inputs
        .all<{ readonly hosts?: readonly string[] }>('networking.istio.io/ServiceEntry')
        .filter(({ spec }) => spec.hosts?.includes(host));
  const own = owners.find(({ metadata }) => sharedGateway !== undefined || metadata.namespace === namespace);
  if (own) return own;
  const others = owners.map(({ metadata }) => `"${metadata.namespace}"`).sort();
  found.warnings.push(
    others.length > 0
      ? `hostname "${host}" not found in namespace "${namespace}", but it was found in namespace(s) ${others.join(', ')}`
      : `hostname "${host}" not found`,
  );
  found.unusable = true;
  return undefined;
}

function lookAtPort(
  host: string,
  port: number,
  service: ConfigObject,
  services: GatewayServices,
  found: Found,
  { options }: Context,
): void {
  const byPort = options.endpoints?.get(host)?.byPort ?? new Map<number, readonly { readonly port: number }[]>();
  if (byPort.get(port)?.length) {
    found.internal.add(`${host}:${port}`);
    addAddresses(host, service, found);
  } else if (byPort.size === 0) found.warnings.push(`no instances found for hostname "${host}"`);
  else if (services.sharedGateway) {
    // A shared gateway listens on any port that is asked for, as it does for Gateways of Istio's API.
    found.internal.add(`${host}:${port}`);
    addAddresses(host, service, found);
  } else lookAtHint(host, port, service, byPort, found);
}

function lookAtHint(
  host: string,
  port: number,
  service: ConfigObject,
  byPort: ReadonlyMap<number, readonly { readonly port: number }[]>,
  found: Found,
): void {
  const hints = [...byPort].filter(([, list]) => list.some((endpoint) => endpoint.port === port)).map(([own]) => own);
  if (hints.length > 0) {
    found.warnings.push(
      `port ${port} not found for hostname "${host}" (hint: the service port should be specified, not the workload port. Did you mean one of these ports: [${hints.sort().join(' ')}]?)`,
    );
    found.unusable = true;
    return;
  }
  const managed = service.metadata.labels?.['gateway.istio.io/managed'] !== undefined;
  const hasPort = itemsOf(fieldsOf(service.spec)['ports']).some((each) => portOf(each['port']) === port);
  if (managed && hasPort) return;
  found.warnings.push(`port ${port} not found for hostname "${host}"`);
  found.unusable = true;
}

function addAddresses(host: string, service: ConfigObject, found: Found): void {
  const spec = fieldsOf(service.spec);
  const own = [textOf(spec['clusterIP']), ...textsOf(spec['clusterIPs']), ...textsOf(spec['addresses'])];
  for (const address of own) if (address !== '' && address !== 'None') found.internalAddresses.add(address);
  const balancer = itemsOf(fieldsOf(fieldsOf(service['status'])['loadBalancer'])['ingress']);
  const external = [
    ...balancer.map((each) => textOf(each['ip']) || textOf(each['hostname'])),
    ...textsOf(spec['externalIPs']),
  ].filter((address) => address !== '');
  for (const address of external) found.external.add(address);
  if (external.length > 0 || textOf(spec['type']) !== 'LoadBalancer' || found.pending.has(host)) return;
  found.pending.add(host);
  found.warnings.push(`address pending for hostname "${host}"`);
}

/** The condition Programmed. Where nothing is known of endpoints, no instance is missed. */
export function programmedVerdict(
  { internal, warnings, usable }: GatewayInstances,
  hosts: readonly string[],
  known: boolean,
): Verdict {
  const assigned = `assigned to service(s) ${joinWords(internal)}`;
  const verdict: Verdict = {
    reason: 'Programmed',
    message: internal.length > 0 ? `Resource programmed, ${assigned}` : 'Resource programmed',
  };
  if (hosts.length === 0)
    return {
      ...verdict,
      problem: { reason: 'UnsupportedAddress', message: 'Failed to assign to any requested addresses' },
    };
  if (warnings.length === 0 || !known) return verdict;
  const why = warnings.join('; ');
  return {
    ...verdict,
    problem: {
      reason: usable ? 'AddressNotAssigned' : 'AddressNotUsable',
      message:
        internal.length > 0
          ? `Assigned to service(s) ${joinWords(internal)}, but failed to assign to all requested addresses: ${why}`
          : `Failed to assign to any requested addresses: ${why}`,
    },
  };
}
