import type { AuthenticationPolicy, AuthenticationTarget } from '@seine/istio';
import type { Inputs } from '../input.js';
import type { Messages } from '../messages.js';
import type { Service } from '../service.js';
import { demandsSomething } from './methods.js';

/** The policies that name a service. */
export interface ServicePolicies {
  readonly service: Service;
  /** The one for the ports that none is for by itself. */
  whole: AuthenticationPolicy | undefined;
  /** By port of the workload. */
  readonly byPort: Map<number, AuthenticationPolicy>;
}

/** The workload ports of a target; undefined = all. */
function portsOf(
  target: AuthenticationTarget,
  service: Service,
  policy: AuthenticationPolicy,
  path: string,
  messages: Messages,
): readonly number[] | undefined {
  if (!target.ports?.length) return undefined;
  const found = target.ports.map(({ number, name }, i) => {
    const port = service.ports.find((one) => (number === undefined ? one.name === name : one.number === number));
    const text = String(number ?? name);
    if (!port)
      messages.warn(policy, `${path}.ports[${i}]`, `Service ${service.name} has no port ${text}; it is left out.`);
    else if (port.target === undefined)
      messages.warn(
        policy,
        `${path}.ports[${i}]`,
        `Which port of its workloads port ${text} of Service ${service.name} is, is a name that no Deployment, StatefulSet or DaemonSet has; ` +
          (demandsSomething(policy) ? 'what is asked for is asked for on all ports.' : 'it is left out.'),
      );
    return port && { target: port.target };
  });
  if (demandsSomething(policy) && found.some((port) => port && port.target === undefined)) return undefined;
  return found.flatMap((port) => (port?.target === undefined ? [] : [port.target]));
}

/** Which policies are for which services, the older one of two; by `namespace/name` of the Service. */
export function servicePolicies(inputs: Inputs, messages: Messages): ReadonlyMap<string, ServicePolicies> {
  const found = new Map<string, ServicePolicies>();
  for (const policy of inputs.policies()) {
    const { namespace } = policy.metadata;
    (policy.spec.targets ?? []).forEach((target, i) => {
      const path = `spec.targets[${i}]`;
      const service = inputs.service(namespace, target.name);
      if (!service?.selector) {
        const why = service ? 'selects no workloads' : 'is not there';
        messages.warn(
          policy,
          `${path}.name`,
          `Service ${namespace}/${target.name} ${why}, so the policy is not in force there.`,
        );
        return;
      }
      const key = `${namespace}/${target.name}`;
      const entry = found.get(key) ?? { service, whole: undefined, byPort: new Map<number, AuthenticationPolicy>() };
      found.set(key, entry);
      addTarget(entry, policy, portsOf(target, service, policy, path, messages), path, messages);
    });
  }
  return found;
}

function addTarget(
  entry: ServicePolicies,
  policy: AuthenticationPolicy,
  ports: readonly number[] | undefined,
  path: string,
  messages: Messages,
): void {
  const isSecond = (first: AuthenticationPolicy | undefined, what: string): boolean => {
    if (!first) return false;
    messages.warn(
      policy,
      path,
      `Policy ${first.metadata.name} is for ${what} already and is older; it stays in force.`,
    );
    return true;
  };
  const { name } = entry.service;
  if (!ports) {
    if (!isSecond(entry.whole, `Service ${name}`)) entry.whole = policy;
    return;
  }
  for (const port of ports)
    if (!isSecond(entry.byPort.get(port), `port ${port} of the workloads of Service ${name}`))
      entry.byPort.set(port, policy);
}
