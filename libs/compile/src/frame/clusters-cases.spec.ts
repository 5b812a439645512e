import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { encodeResource, toEnvoyJson } from '@seine/envoy';
import { ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { ClusterLoadAssignmentSchema } from '@seine/envoy/envoy/config/endpoint/v3/endpoint_pb.js';
import type { DestinationRule, ServiceEntry } from '@seine/istio';
import {
  defaultMeshConfig,
  type MeshService,
  parseProtocol,
  type Resolution,
  type ServiceEndpoints,
} from '@seine/model';
import { anEndpoint, aPort, aService } from '@seine/testing';
import { parseAllDocuments } from 'yaml';
import { emitOutboundClusters } from './clusters.js';
import { selectDestinationRule } from './destination-rules.js';
import { emitLoadAssignments } from './endpoints.js';

/** Real-world YAML: `SEINE_CASES`, or beside the repository. */
const root = path.resolve(process.env['SEINE_CASES'] ?? path.join(import.meta.dirname, '../../../../../shared/cases'));

function filesUnder(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml') && !file.includes('tmpl'))
    .map((file) => path.join(folder, file))
    .sort();
}

interface Parsed {
  readonly kind?: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
}

function objects<T>(file: string, kind: string): T[] {
  return parseAllDocuments(readFileSync(path.join(root, file), 'utf8'), { logLevel: 'silent' })
    .map((document) => document.toJS() as Parsed | null)
    .filter((object) => object?.kind === kind)
    .map((object) => ({ ...object, metadata: { name: 'unnamed', namespace: 'default', ...object?.metadata } }) as T);
}

/** A service that the rule is for, with every port its policies speak of. */
function serviceFor(rule: DestinationRule, resolution: Resolution): MeshService {
  const policies = [rule.spec.trafficPolicy, ...(rule.spec.subsets ?? []).map((subset) => subset.trafficPolicy)];
  const named = policies.flatMap((policy) => (policy?.portLevelSettings ?? []).map((level) => level.port?.number ?? 0));
  const numbers = [...new Set([80, ...named])];
  const ports = [...numbers.map((port) => aPort(port)), aPort(7001, 'GRPC'), aPort(7002, 'TCP'), aPort(7003, 'auto')];
  return aService({ name: rule.metadata.name, host: rule.spec.host, resolution, ports });
}

const rules = ['samples', 'config', 'seeds', 'analyze']
  .flatMap(filesUnder)
  .flatMap((file) =>
    objects<DestinationRule>(file, 'DestinationRule').map((rule) => [file, rule.metadata.name, rule] as const),
  );

describe('DestinationRules of the case files', () => {
  it.each(rules)('%s %s', (_file, _name, rule) => {
    for (const resolution of ['static', 'dns', 'dns-round-robin', 'passthrough', 'dynamic-dns'] as const) {
      const service = serviceFor(rule, resolution);
      const named = service.ports.map(({ port }) => [port, [anEndpoint('a.example.com', { port })]] as const);
      const inlineEndpoints = { host: service.host, byPort: new Map(named) };
      const input = { service, rule, config: defaultMeshConfig, inlineEndpoints, proxyType: 'sidecar' } as const;
      const clusters = emitOutboundClusters(input);
      expect(new Set(clusters.map((cluster) => cluster.name)).size).toBe(clusters.length);
      for (const cluster of clusters) {
        const bytes = encodeResource(ClusterSchema, cluster);
        expect(bytes.equals(encodeResource(ClusterSchema, fromBinary(ClusterSchema, bytes)))).toBe(true);
        expect(toEnvoyJson(ClusterSchema, cluster)).toMatchObject({ name: cluster.name });
      }
      const eds = new Set(
        emitLoadAssignments({ service, endpoints: undefined, rule, clientLocality: undefined, config: {} }).map(
          (one) => one.name,
        ),
      );
      const asking = clusters.filter((cluster) => cluster.edsClusterConfig).map((cluster) => cluster.name);
      expect(asking.filter((name) => !eds.has(name))).toEqual([]);
    }
  });
});

const resolutions: Readonly<Record<string, Resolution>> = {
  STATIC: 'static',
  DNS: 'dns',
  DNS_ROUND_ROBIN: 'dns-round-robin',
  NONE: 'passthrough',
};

/** A ServiceEntry host in the model; the registry's own reading has its own tests. */
function entryService({ spec, metadata }: ServiceEntry, host: string): [MeshService, ServiceEndpoints] {
  const ports = (spec.ports ?? []).map((port) => ({
    port: port.number,
    name: port.name,
    protocol: parseProtocol(port.protocol ?? '') ?? ('TCP' as const),
  }));
  const resolution = resolutions[spec.resolution ?? 'NONE'] ?? 'passthrough';
  const given = spec.endpoints?.length ? spec.endpoints : resolution === 'dns' ? [{ address: host }] : [];
  const byPort = ports.map(
    ({ port, name }) =>
      [
        port,
        given.map((one) =>
          anEndpoint(one.address ?? '', { port: one.ports?.[name] ?? port, weight: one.weight ?? 1 }, one.locality),
        ),
      ] as const,
  );
  const service = aService({
    name: metadata.name,
    namespace: metadata.namespace,
    host,
    ports,
    resolution,
    external: true,
  });
  return [service, { host, byPort: new Map(byPort) }];
}

describe('ServiceEntries of the case files', () => {
  const mesh = { rootNamespace: 'istio-system', clusterDomain: 'cluster.local' };
  function emitted(file: string) {
    const entryRules = objects<DestinationRule>(file, 'DestinationRule');
    return objects<ServiceEntry>(file, 'ServiceEntry').flatMap((entry) =>
      entry.spec.hosts.flatMap((host) => {
        const [service, endpoints] = entryService(entry, host);
        const client = { namespace: 'testns', labels: {} };
        const rule = selectDestinationRule(host, entryRules, client, service, mesh);
        const input = {
          service,
          rule,
          config: defaultMeshConfig,
          inlineEndpoints: endpoints,
          proxyType: 'sidecar',
        } as const;
        return [
          ...emitOutboundClusters(input).map((cluster) => toEnvoyJson(ClusterSchema, cluster)),
          ...emitLoadAssignments({ service, endpoints, rule, clientLocality: undefined, config: {} }).map((one) =>
            toEnvoyJson(ClusterLoadAssignmentSchema, fromBinary(ClusterLoadAssignmentSchema, one.bytes)),
          ),
        ];
      }),
    );
  }

  it('weighs endpoints and localities (static-weighted-se)', () => {
    const [, assignment] = emitted('config/static-weighted-se.yaml');
    const at = (address: string, load_balancing_weight: number) => ({
      endpoint: { address: { socket_address: { address, port_value: 80 } } },
      load_balancing_weight,
    });
    expect(assignment).toMatchObject({
      cluster_name: 'outbound|80||weighted.static.svc.cluster.local',
      endpoints: [
        { locality: { region: 'a' }, load_balancing_weight: 9, lb_endpoints: [at('3.3.3.3', 1), at('2.2.2.2', 8)] },
        { locality: { region: 'b' }, load_balancing_weight: 3, lb_endpoints: [at('1.1.1.1', 3)] },
      ],
    });
  });

  it('finds endpoints as the resolution says (external_services)', () => {
    const kinds = emitted('config/external_services.yaml').map((one) => {
      const { name, type, cluster_type } = one as { name?: string; type?: string; cluster_type?: { name: string } };
      return name === undefined ? 'assignment' : `${name} ${type ?? cluster_type?.name}`;
    });
    expect(kinds).toEqual([
      'outbound|1443||external.extsvc.com envoy.cluster.dns',
      'outbound|443||ports.extsvc.com envoy.cluster.dns',
      'outbound|8443||ports.extsvc.com envoy.cluster.dns',
      'outbound|443||ports1.extsvc.com envoy.cluster.dns',
      'outbound|8443||ports1.extsvc.com envoy.cluster.dns',
      'outbound|8001||dst.extsvc.com ORIGINAL_DST',
      'assignment',
      'outbound|8002||ep.extsvc.com EDS',
      'assignment',
    ]);
  });
});
