import type { ConfigObject } from '@seine/k8s';
import { objectKey } from '@seine/k8s';
import { type Endpoint, type MeshConfig, type MeshService, type ServicePort, servicePortProtocol } from '@seine/model';
import { fieldsOf, itemsOf, labelsOf, portOf, selectorOf, textOf, textsOf } from './fields.js';
import { sessionOf } from './persistent-session.js';
import { parseExportTo, refOf, type ServiceSource } from './service-source.js';
import { spiffeId } from './spiffe.js';

const exportToAnnotation = 'networking.istio.io/exportTo';

function targetPortOf(value: unknown): number | string | undefined {
  if (typeof value !== 'string' || value === '') return portOf(value);
  return /^\d+$/.test(value) ? portOf(Number(value)) : value;
}

function convertPorts(spec: Readonly<Record<string, unknown>>): readonly ServicePort[] {
  const ports: ServicePort[] = [];
  for (const item of itemsOf(spec['ports'])) {
    const port = portOf(item['port']);
    if (port === undefined) continue;
    const name = textOf(item['name']);
    const protocol = servicePortProtocol({
      name,
      port,
      appProtocol: textOf(item['appProtocol']) || undefined,
      protocol: textOf(item['protocol']) || undefined,
    });
    ports.push({ port, name, protocol, targetPort: targetPortOf(item['targetPort']) });
  }
  return ports;
}

/** A Service's own address as clients name it; `None` (headless) and nothing written give none. */
function clusterAddresses(spec: Readonly<Record<string, unknown>>): readonly string[] {
  const all = [textOf(spec['clusterIP']), ...textsOf(spec['clusterIPs'])];
  return [...new Set(all)].filter((address) => address !== '' && address !== 'None');
}

/** Accounts that a Service declares for backends outside the cluster (Istio's annotations). */
function declaredAccounts(object: ConfigObject, config: MeshConfig): readonly string[] {
  const annotations = labelsOf(object.metadata.annotations);
  const split = (name: string) => (annotations[name] ?? '').split(',').filter((account) => account.trim() !== '');
  const accounts = split('alpha.istio.io/kubernetes-serviceaccounts').map((account) =>
    spiffeId(config.trustDomain, object.metadata.namespace, account.trim()),
  );
  return [...accounts, ...split('alpha.istio.io/canonical-serviceaccounts').map((account) => account.trim())].sort();
}

function externalNameEndpoints(
  externalName: string,
  namespace: string,
  ports: readonly ServicePort[],
): ReadonlyMap<number, readonly Endpoint[]> {
  const endpoint = (port: ServicePort): Endpoint => ({
    address: externalName,
    port: typeof port.targetPort === 'number' ? port.targetPort : port.port,
    labels: {},
    locality: { region: '', zone: '', subzone: '' },
    weight: 1,
    network: '',
    serviceAccount: '',
    health: 'healthy',
    tlsMode: 'disabled',
    workload: { name: '', namespace },
  });
  return new Map(ports.map((port) => [port.port, [endpoint(port)]]));
}

const distributions: Readonly<Record<string, MeshService['trafficDistribution']>> = {
  preferclose: 'PreferSameZone',
  prefersamezone: 'PreferSameZone',
  prefersamenode: 'PreferSameNode',
};

/** `spec.trafficDistribution`, else the annotation that was before it. */
function distributionOf(
  object: ConfigObject,
  spec: Readonly<Record<string, unknown>>,
): Pick<MeshService, 'trafficDistribution'> {
  const annotated = labelsOf(object.metadata.annotations)['networking.istio.io/traffic-distribution'] ?? '';
  const trafficDistribution = distributions[(textOf(spec['trafficDistribution']) || annotated).toLowerCase()];
  return trafficDistribution ? { trafficDistribution } : {};
}

/** Reads a Kubernetes Service. A headless one is reached at its pods' own addresses, an ExternalName one by DNS. */
export function convertKubernetesService(object: ConfigObject, config: MeshConfig): ServiceSource {
  const { name, namespace } = object.metadata;
  const spec = fieldsOf(object.spec);
  const externalName = spec['type'] === 'ExternalName' ? textOf(spec['externalName']) : '';
  const headless = spec['clusterIP'] === 'None' || textsOf(spec['clusterIPs']).includes('None');
  const ports = convertPorts(spec);
  const exportTo = labelsOf(object.metadata.annotations)[exportToAnnotation] ?? '';
  return {
    objectKey: objectKey(object),
    selector: externalName ? undefined : selectorOf(spec['selector']),
    ...(spec['publishNotReadyAddresses'] === true && { publishNotReady: true }),
    inline: externalName ? externalNameEndpoints(externalName, namespace, ports) : new Map(),
    service: {
      host: `${name}.${namespace}.svc.${config.clusterDomain}`,
      name,
      namespace,
      ports,
      addresses: externalName ? [] : clusterAddresses(spec),
      resolution: externalName ? 'dns' : headless ? 'passthrough' : 'static',
      headless: headless && !externalName,
      external: externalName !== '',
      exportTo: parseExportTo(
        exportTo
          .split(',')
          .map((entry) => entry.trim())
          .filter((entry) => entry !== ''),
        namespace,
        config.defaultServiceExportTo,
      ),
      ...distributionOf(object, spec),
      ...sessionOf(labelsOf(object.metadata.labels)),
      externalName: externalName || undefined,
      subjectAltNames: [],
      serviceAccounts: declaredAccounts(object, config),
      creationTimestamp: textOf(object.metadata.creationTimestamp),
      origin: refOf(object),
      registry: 'kubernetes',
    },
  };
}
