import {
  type Endpoint,
  type MeshService,
  parseLocality,
  type Proxy,
  type ServiceEndpoints,
  type ServicePort,
  type Workload,
} from '@seine/model';

/** Model objects for tests: plausible defaults, and whatever the test is about on top. */

/** A Kubernetes service; its host follows from name and namespace unless given. */
export function aService(fields: Partial<MeshService> & { readonly name: string }): MeshService {
  const namespace = fields.namespace ?? 'default';
  return {
    host: `${fields.name}.${namespace}.svc.cluster.local`,
    namespace,
    ports: [aPort(9080)],
    addresses: ['10.96.0.1'],
    resolution: 'static',
    headless: false,
    external: false,
    exportTo: '*',
    subjectAltNames: [],
    serviceAccounts: [],
    creationTimestamp: '2024-01-01T00:00:00Z',
    origin: { kind: 'Service', namespace, name: fields.name },
    registry: 'kubernetes',
    ...fields,
  };
}

export function aPort(port: number, protocol: ServicePort['protocol'] = 'HTTP'): ServicePort {
  return { port, name: `${protocol.toLowerCase()}-${port}`, protocol };
}

/** @param where `region/zone/subzone` */
export function anEndpoint(address: string, fields: Partial<Endpoint> = {}, where = ''): Endpoint {
  return {
    address,
    port: 9080,
    labels: {},
    locality: parseLocality(where),
    weight: 1,
    network: '',
    serviceAccount: '',
    health: 'healthy',
    tlsMode: 'disabled',
    workload: { name: `w-${address}`, namespace: 'default' },
    ...fields,
  };
}

/** Endpoints of one port of a service. */
export function endpointsOf(service: MeshService, port: number, endpoints: readonly Endpoint[]): ServiceEndpoints {
  return { host: service.host, byPort: new Map([[port, endpoints]]) };
}

export function aProxy(fields: Partial<Proxy> = {}): Proxy {
  return {
    id: 'sidecar~10.0.0.1~client-1.default~default.svc.cluster.local',
    type: 'sidecar',
    name: 'client-1',
    namespace: 'default',
    ipAddresses: ['10.0.0.1'],
    dnsDomain: 'default.svc.cluster.local',
    labels: {},
    workloadName: 'client',
    serviceAccount: 'client',
    locality: parseLocality(''),
    network: '',
    clusterId: 'Kubernetes',
    interceptionMode: 'REDIRECT',
    envoyVersion: '1.40.0',
    proxyless: false,
    httpProxyPort: 0,
    appPorts: new Map(),
    outboundCidr: '',
    workloadCertificates: false,
    dnsCapture: false,
    ...fields,
  };
}

export function aWorkload(fields: Partial<Workload> = {}): Workload {
  return {
    name: 'reviews-v1-1',
    namespace: 'default',
    ownerName: 'reviews-v1',
    addresses: ['10.0.0.1'],
    labels: {},
    serviceAccount: 'reviews',
    locality: parseLocality(''),
    network: '',
    inbound: [],
    ...fields,
  };
}
