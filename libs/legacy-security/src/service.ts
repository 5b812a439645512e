import { type ConfigObject, type Fields, fieldsOf, itemsOf, type Labels, portOf, selectorOf, textOf } from '@seine/k8s';
import { isHttp, labelsMatch, servicePortProtocol } from '@seine/model';

/** What a workload's template says of its labels and ports. */
export interface WorkloadPorts {
  readonly namespace: string;
  readonly labels: Labels;
  readonly podSpec: Fields;
}

export interface ServicePort {
  readonly number: number;
  readonly name: string;
  /** The port of the workload; undefined where it is a name that no workload has. */
  readonly target: number | undefined;
  /** Whether requests can be told from one another there: HTTP, or not known before it is looked at. */
  readonly http: boolean;
}

/** A Service as far as policies name it. */
export interface Service {
  readonly namespace: string;
  readonly name: string;
  /** `cart.shop.svc.cluster.local` */
  readonly host: string;
  /** Undefined where it selects no workloads. */
  readonly selector: Labels | undefined;
  readonly ports: readonly ServicePort[];
}

function namedPort(name: string, service: ConfigObject, selector: Labels, workloads: readonly WorkloadPorts[]) {
  const runs = workloads.filter(
    ({ namespace, labels }) => namespace === service.metadata.namespace && labelsMatch(selector, labels),
  );
  const ports = runs.flatMap(({ podSpec }) =>
    itemsOf(podSpec['containers']).flatMap((container) => itemsOf(container['ports'])),
  );
  return portOf(ports.find((port) => textOf(port['name']) === name)?.['containerPort']);
}

/** Reads a Service. @param workloads where the numbers of named target ports are looked up */
export function readService(object: ConfigObject, workloads: readonly WorkloadPorts[], clusterDomain: string): Service {
  const { name, namespace } = object.metadata;
  const spec = fieldsOf(object.spec);
  const selector = selectorOf(spec['selector']);
  const ports = itemsOf(spec['ports']).flatMap((port): ServicePort[] => {
    const number = portOf(port['port']);
    if (number === undefined) return [];
    const written = port['targetPort'];
    const targetName = textOf(written);
    const named = targetName !== '' && !/^\d+$/.test(targetName);
    const target = named
      ? namedPort(targetName, object, selector ?? {}, workloads)
      : (portOf(targetName === '' ? written : Number(targetName)) ?? number);
    const protocol = servicePortProtocol({
      name: textOf(port['name']),
      port: number,
      appProtocol: textOf(port['appProtocol']) || undefined,
      protocol: textOf(port['protocol']) || undefined,
    });
    return [{ number, name: textOf(port['name']), target, http: isHttp(protocol) || protocol === 'auto' }];
  });
  return { namespace, name, host: `${name}.${namespace}.svc.${clusterDomain}`, selector, ports };
}
