import { type PolicyRule, serviceAttributes, type StringMap, type Value, workloadAttributes } from '@seine/mixer';
import type { MeshService, Workload } from '@seine/model';
import { decideRules, type ChainPlan, planChain, type PlannedPort, type PlannedWorkload, rulesFor } from './plan.js';
import type { PolicySource } from './decide-rule.js';
import { attributesRead, namesOf } from './translate.js';

/** What the filters of the chains of a workload do, by protocol. Plain data. */
export interface PortPlan {
  /** Host of the service at the port; undefined = none, or not known. */
  readonly service: string | undefined;
  readonly http: ChainPlan | undefined;
  readonly tcp: ChainPlan | undefined;
}

/** What mixer's rules come to at a workload, on the side of who is called. */
export interface InboundMixer {
  /** By the port where the workload listens. */
  readonly ports: ReadonlyMap<number, PortPlan>;
  /** Ports that no service declares. */
  readonly rest: PortPlan;
  /** How long mixer is waited for, ms. */
  readonly timeoutMs: number;
  readonly failOpen: boolean;
  /** `namespace/name`, where the workload's address does not tell which it is. */
  readonly workload: string | undefined;
}

/** A port with its number. */
export type DeclaredPort = PlannedPort & { readonly port: number };

/** A workload as far as rules may look at it. */
export interface MixerDestination {
  readonly workload: PlannedWorkload;
  readonly ports: readonly DeclaredPort[];
}

type Constants = ReadonlyMap<string, Value | undefined>;

const ofReporter = [
  ['context.reporter.kind', 'inbound'],
  ['context.reporter.local', true],
] as const;

/** What is the same for all requests to a workload, as mixer's directory says it. */
export function workloadConstants(workload: Workload): Constants {
  return new Map<string, Value>([...ofReporter, ...workloadAttributes('destination', workload)]);
}

const ofServices = ['service', 'service.host', 'service.name', 'service.namespace', 'service.uid'];

/**
 * What is said of the service that requests are for.
 * @param host empty where there is none @param service undefined where the mesh has none of that host
 */
function serviceConstants(host: string, service: MeshService | undefined): Constants {
  return new Map<string, Value | undefined>([
    ...ofServices.map((name) => [`destination.${name}`, undefined] as const),
    ...(host === '' ? [] : [['destination.service.host', host] as const]),
    ...(service ? serviceAttributes('destination', service) : []),
  ]);
}

/** What is the same for all requests at a port, and of the service that they are for. */
export function declaredPort(port: number, host: string, service: MeshService | undefined): DeclaredPort {
  const constants = new Map<string, Value | undefined>([
    ['destination.port', port],
    ...serviceConstants(host, service),
  ]);
  return { port, service: host === '' ? undefined : host, constants };
}

/** All ports that no service declares. */
export const undeclaredPorts: PlannedPort = {
  port: undefined,
  service: undefined,
  constants: serviceConstants('', undefined),
};

/** Attributes that the checks of some rules look at, where they are the same for all requests to a workload. */
export function attributesOfRules(source: PolicySource, namespace: string, rootNamespace: string): ReadonlySet<string> {
  const { policy, valueOf } = source;
  const ofRule = ({ match, actions }: PolicyRule) => [
    ...namesOf(match?.reads ?? []),
    ...actions.flatMap(({ instances }) =>
      instances.flatMap((instance) => {
        const value = valueOf(instance);
        return value === undefined ? [] : attributesRead(value, policy.vocabulary);
      }),
    ),
  ];
  return new Set(rulesFor(policy.rules, namespace, rootNamespace).flatMap(ofRule));
}

/** Text that is the same for workloads between which no rule makes a difference. */
export function destinationKey({ workload, ports }: MixerDestination, read: ReadonlySet<string>): string {
  const seen = (constants: Constants) =>
    [...constants].filter(([name]) => read.has(name)).map(([name, value]) => [name, plain(value)]);
  return JSON.stringify([
    workload.namespace,
    workload.foreignCertificates,
    seen(workload.constants),
    ports.map(({ port, service, constants }) => [port, service, seen(constants)]),
  ]);
}

function plain(value: Value | undefined): unknown {
  return value instanceof Map ? [...(value as StringMap)].sort() : value;
}

type Plans = Pick<InboundMixer, 'ports' | 'rest'>;

/** @returns undefined where no rule has anything to do at the workload */
export function planInbound(
  source: PolicySource,
  { workload, ports }: MixerDestination,
  rootNamespace: string,
): Plans | undefined {
  const planOf = (port: PlannedPort): PortPlan => {
    const of = (protocol: 'http' | 'tcp') => planChain(decideRules(source, workload, port, protocol, rootNamespace));
    return Object.freeze({ service: port.service, http: of('http'), tcp: of('tcp') });
  };
  const rest = planOf(undeclaredPorts);
  const byPort = new Map(ports.map((port) => [port.port, planOf(port)]));
  const some = [rest, ...byPort.values()].some(({ http, tcp }) => http ?? tcp);
  return some ? Object.freeze({ ports: byPort, rest }) : undefined;
}
