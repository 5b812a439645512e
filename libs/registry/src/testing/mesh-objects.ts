import { type ConfigObject, objectKey } from '@seine/k8s';
import { defaultMeshConfig } from '@seine/model';
import { type BuiltMesh } from '../mesh-builder.js';
import { buildMesh } from '../build-mesh.js';

/** Objects as short as specs need them, all in `default` unless `meta` says otherwise. */
export type Meta = Readonly<Record<string, unknown>>;

export function object(apiVersion: string, kind: string, name: string, rest: object, meta: Meta = {}): ConfigObject {
  return { apiVersion, kind, metadata: { name, namespace: 'default', ...meta }, ...rest };
}
export const service = (name: string, spec: object, meta?: Meta) => object('v1', 'Service', name, { spec }, meta);
export const entry = (name: string, spec: object, meta?: Meta) =>
  object('networking.istio.io/v1', 'ServiceEntry', name, { spec }, meta);
export const workloadEntry = (name: string, spec: object, meta?: Meta) =>
  object('networking.istio.io/v1', 'WorkloadEntry', name, { spec }, meta);
export const pod = (name: string, labels: object, status: object, spec: object = {}, meta: Meta = {}) =>
  object('v1', 'Pod', name, { spec, status }, { labels, ...meta });
export const endpoints = (name: string, subsets: readonly object[]) => object('v1', 'Endpoints', name, { subsets });
export const slice = (name: string, of: string, items: readonly object[], port = 8080) =>
  object(
    'discovery.k8s.io/v1',
    'EndpointSlice',
    name,
    { endpoints: items, ports: [{ name: 'http', port }] },
    { labels: { 'kubernetes.io/service-name': of } },
  );

export const http = { name: 'http', port: 80, targetPort: 8080 };
export const seHttp = { number: 80, name: 'http', protocol: 'HTTP' };
export const web = service('web', { selector: { app: 'web' }, ports: [http] });
export const webHost = 'web.default.svc.cluster.local';

export function meshOf(objects: readonly ConfigObject[]): BuiltMesh {
  return buildMesh(undefined, new Map(objects.map((one) => [objectKey(one), one])), defaultMeshConfig);
}
/** `address:port` of each endpoint, with its health where that is not healthy. */
export function addresses(objects: readonly ConfigObject[], host = webHost, port = 80): readonly string[] {
  const list = meshOf(objects).mesh.endpoints.get(host)?.byPort.get(port) ?? [];
  return list.map((e) => `${e.address}:${e.port}${e.health === 'healthy' ? '' : ` ${e.health}`}`);
}
