import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { toBinary } from '@bufbuild/protobuf';
import { RouteConfigurationSchema } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import { VirtualHostSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { DestinationRule, VirtualService } from '@seine/istio';
import { defaultMeshConfig, fullyQualify } from '@seine/model';
import { parseAllDocuments } from 'yaml';
import type { DestinationFacts } from '../inputs.js';
import { emitGatewayRoutes } from './gateway-routes.js';
import { destinationHosts, emitVirtualHost } from './routes.js';

const cases = path.resolve(process.env['SEINE_CASES'] ?? path.join(import.meta.dirname, '../../../../../shared/cases'));
const clusterDomain = defaultMeshConfig.clusterDomain;
const files = [
  ...filesIn('samples/bookinfo/networking'),
  ...filesIn('samples/httpbin'),
  ...filesIn('samples/helloworld'),
  ...filesIn('seeds'),
  ...filesIn('config').filter((file) => /\/(rule-.*|virtual-service-all)\.yaml$/.test(file)),
];

/** The corpus lies beside the repository, not in it: without it this fails, rather than check nothing. */
function filesIn(folder: string): string[] {
  return fs
    .readdirSync(path.join(cases, folder))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => `${folder}/${name}`);
}

function objectsOf<T extends VirtualService | DestinationRule>(file: string, kind: T['kind']): T[] {
  return parseAllDocuments(fs.readFileSync(path.join(cases, file), 'utf8'))
    .map((document) => document.toJS() as T | null)
    .filter((object) => object?.kind === kind)
    .filter((object) => object !== null)
    .map((object) => ({
      ...object,
      metadata: { ...object.metadata, namespace: object.metadata.namespace || 'default' },
    }));
}

const rules = files.flatMap((file) => objectsOf<DestinationRule>(file, 'DestinationRule'));
const virtualServices = files.flatMap((file) =>
  objectsOf<VirtualService>(file, 'VirtualService').map((virtualService) => ({ file, virtualService })),
);
const rowsOf = virtualServices
  .filter(({ virtualService }) => virtualService.spec.http)
  .map(({ file, virtualService }) => [file, virtualService.metadata.name, virtualService] as const);

function factsOf(virtualService: VirtualService): DestinationFacts[] {
  return destinationHosts(virtualService, clusterDomain).map((host) => ({
    host,
    service: undefined,
    rule: rules.find((rule) => fullyQualify(rule.spec.host, rule.metadata.namespace, clusterDomain) === host),
  }));
}

describe('real VirtualServices', () => {
  it('are there', () => {
    expect(rowsOf.length).toBeGreaterThan(20);
  });

  it.each(rowsOf)('%s: %s', (_, name, virtualService) => {
    const facts = factsOf(virtualService);
    const gateways = virtualService.spec.gateways ?? ['mesh'];
    const virtualHost = emitVirtualHost({
      name: `${name}:80`,
      domains: [name],
      port: 80,
      service: undefined,
      virtualService,
      destinations: facts,
      client: { gateway: 'mesh', namespace: virtualService.metadata.namespace, labels: { version: 'v1' } },
      config: defaultMeshConfig,
    });
    const forMesh = (virtualService.spec.http ?? []).some(
      ({ match }) => !match || match.some((m) => !m.gateways || m.gateways.includes('mesh')),
    );
    expect((virtualHost?.routes.length ?? 0) > 0).toBe(forMesh);
    if (virtualHost) expect(toBinary(VirtualHostSchema, virtualHost).length).toBeGreaterThan(0);

    const gateway = gateways.find((gw) => gw !== 'mesh') ?? 'mesh-gateway';
    const routes = emitGatewayRoutes({
      name: 'http.80',
      servers: [
        {
          gateway: {
            apiVersion: 'networking.istio.io/v1',
            kind: 'Gateway',
            metadata: { name: gateway, namespace: virtualService.metadata.namespace },
            spec: { servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }] },
          },
          index: 0,
        },
      ],
      virtualServices: [virtualService],
      destinations: facts,
      client: { namespace: 'istio-system', labels: {} },
      config: defaultMeshConfig,
    });
    const bound = gateways.includes(gateway);
    expect(routes.virtualHosts.map((host) => host.routes.length > 0)).toEqual(
      bound ? (virtualService.spec.hosts ?? []).map(() => true) : [false],
    );
    expect(toBinary(RouteConfigurationSchema, routes).length).toBeGreaterThan(0);
  });
});
