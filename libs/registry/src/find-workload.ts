import { type ConfigObject, groupOf, type ObjectKey } from '@seine/k8s';
import { labelsMatch, type Mesh, type Workload } from '@seine/model';
import { convertWorkloadOwner, type Instance, isWorkloadOwner, type WorkloadOwner } from './instance.js';
import { convertKubernetesService } from './kubernetes-service.js';
import { convertServiceEntry } from './service-entry.js';
import type { ServiceSource } from './service-source.js';
import { workloadOf } from './workload-inbound.js';

function instanceOf(owner: WorkloadOwner): Instance {
  return {
    key: owner.key,
    kind: 'Pod',
    name: owner.name,
    namespace: owner.namespace,
    ownerName: owner.name,
    address: '',
    ipAddresses: [],
    labels: owner.labels,
    serviceAccount: owner.serviceAccount,
    locality: { region: '', zone: '', subzone: '' },
    network: '',
    weight: 1,
    health: 'healthy',
    tlsMode: 'disabled',
    ports: owner.ports,
    nodeName: '',
    hostname: '',
  };
}

/** What each object that selects workloads of the namespace says, as far as the mesh let it win its host. */
function sourcesOf(
  objects: ReadonlyMap<ObjectKey, ConfigObject>,
  mesh: Mesh,
  namespace: string,
): readonly ServiceSource[] {
  const found: ServiceSource[] = [];
  for (const object of objects.values()) {
    if (object.metadata.namespace !== namespace) continue;
    const group = groupOf(object.apiVersion);
    if (group === '' && object.kind === 'Service') found.push(convertKubernetesService(object, mesh.config));
    if (group === 'networking.istio.io' && object.kind === 'ServiceEntry')
      found.push(...convertServiceEntry(object, mesh.config));
  }
  return found.filter(({ service }) => {
    const origin = mesh.services.get(service.host)?.origin;
    return origin?.kind === service.origin.kind && origin.name === service.origin.name;
  });
}

/**
 * Finds a workload by its own or its owner's name: one that runs, else what a Deployment (StatefulSet, …) of that name
 * would run (then without addresses), so that offline tools can compile for it.
 */
export function findWorkload(
  mesh: Mesh,
  objects: ReadonlyMap<ObjectKey, ConfigObject>,
  name: string,
  namespace: string,
): Workload | undefined {
  const running = [...mesh.workloads.values()].filter((workload) => workload.namespace === namespace);
  const found = running.find((w) => w.name === name) ?? running.find((w) => w.ownerName === name);
  if (found) return found;
  for (const object of objects.values()) {
    if (object.metadata.name !== name || object.metadata.namespace !== namespace) continue;
    if (!isWorkloadOwner(groupOf(object.apiVersion), object.kind)) continue;
    const owner = convertWorkloadOwner(object);
    if (!owner) continue;
    const sources = sourcesOf(objects, mesh, namespace).filter(
      ({ selector }) => selector !== undefined && labelsMatch(selector, owner.labels),
    );
    return workloadOf(instanceOf(owner), sources);
  }
  return undefined;
}
