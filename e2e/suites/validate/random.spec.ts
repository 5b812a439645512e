import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { resourceToJson, TypeUrl } from '@seine/envoy';
import { type ObjectKey, objectKey } from '@seine/k8s';
import { parseLocality, parseMeshConfig, type Proxy } from '@seine/model';
import { aProxy, seededRandom } from '@seine/testing';
import { aKubernetesService, aPod } from '../../../libs/pipeline/src/testing/config-objects.js';
import { MeshUnderTest } from '../../../libs/pipeline/src/testing/mesh-under-test.js';
import { RandomObjects } from '../../../libs/pipeline/src/testing/random-object.js';
import { type BatchKind, makeCertificate, ValidationBatch } from '../../src/index.js';

jest.setTimeout(1_200_000);

const combinations = 10_000;
/** Random objects at a time: each step replaces one of them. */
const slots = 10;
const kinds = [
  ...['VirtualService', 'VirtualService', 'VirtualService', 'DestinationRule', 'DestinationRule', 'DestinationRule'],
  ...['Gateway', 'Gateway', 'ServiceEntry', 'ServiceEntry', 'WorkloadEntry', 'Sidecar', 'Telemetry'],
];

const collector = { service: 'a.one.svc.cluster.local', port: 7070 };
/** What Telemetry may name; no Zipkin, as Envoy would look for its cluster, which has another name in a batch. */
const withProviders = parseMeshConfig({
  extensionProviders: [
    { name: 'json', envoyFileAccessLog: { logFormat: { labels: { code: '%RESPONSE_CODE%' } } } },
    { name: 'als', envoyHttpAls: collector },
    { name: 'otel', opentelemetry: collector },
  ],
}).config;

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-random-'));
  makeCertificate(folder);
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const ports = [
  { name: 'http', port: 80, targetPort: 8080 },
  { name: 'http-web', port: 9080 },
  { name: 'grpc', port: 7070 },
  { name: 'tcp-db', port: 5432 },
  { name: 'tls', port: 443 },
  { name: 'anything', port: 8000 },
];

const mesh = (['one', 'two'] as const).flatMap((namespace, i) =>
  ['a', 'b'].flatMap((name, j) => [
    aKubernetesService({ name, namespace, clusterIP: `10.96.${i}.${j + 1}`, ports }),
    ...['v1', 'v2'].map((version, k) =>
      aPod({
        name: `${name}-${version}`,
        namespace,
        labels: { app: name, version, 'topology.kubernetes.io/region': k ? 'eu' : 'us' },
        ip: `10.1.${i}.${10 * j + k + 1}`,
      }),
    ),
  ]),
);

const proxy = (fields: Partial<Proxy>): Proxy =>
  Object.freeze(aProxy({ namespace: 'one', dnsDomain: 'one.svc.cluster.local', ...fields }));
const proxies: readonly Proxy[] = [
  proxy({ labels: { app: 'a', version: 'v1' }, ipAddresses: ['10.1.0.1'], locality: parseLocality('eu/zone-1') }),
  proxy({
    labels: { app: 'a', version: 'v2' },
    ipAddresses: ['10.1.0.2'],
    interceptionMode: 'NONE',
    httpProxyPort: 15080,
    outboundCidr: '127.4.7.0/24',
  }),
  proxy({
    namespace: 'two',
    dnsDomain: 'two.svc.cluster.local',
    labels: { app: 'b', version: 'v1' },
    ipAddresses: ['10.1.1.11'],
    dnsCapture: true,
  }),
  proxy({ type: 'router', labels: { istio: 'ingressgateway', version: 'v1' }, ipAddresses: ['10.1.0.9'] }),
];

const types: readonly (readonly [BatchKind, string])[] = [
  ['clusters', TypeUrl.cluster],
  ['endpoints', TypeUrl.endpoint],
  ['listeners', TypeUrl.listener],
  ['routes', TypeUrl.route],
];

it(`${combinations} combinations of valid resources compile to what Envoy takes`, async () => {
  const objects = new RandomObjects(4);
  const random = seededRandom(4);
  const world = new MeshUnderTest(mesh, withProviders);
  const batch = new ValidationBatch(folder);
  const seen = new Set<string>();
  const refused: string[] = [];
  const present: ObjectKey[] = [];
  for (let i = 0; i < combinations && refused.length === 0; i++) {
    const object = objects.valid(kinds[Math.floor(random() * kinds.length)]!);
    const slot = i % slots;
    const put = { ...object, metadata: { ...object.metadata, name: `${object.metadata.name}-${slot}` } };
    world.apply([...(present[slot] ? [{ removed: present[slot] }] : []), { put }]);
    present[slot] = objectKey(put);
    const views = world.views(proxies[i % proxies.length]!);
    for (const [kind, typeUrl] of types)
      for (const layer of views.get(typeUrl) ?? [])
        for (const { name, version, bytes } of layer) {
          const key = `${kind} ${name} ${version}`;
          if (seen.has(key)) continue;
          seen.add(key);
          batch.add(kind, resourceToJson(typeUrl, bytes) as never, `combination ${i}, ${JSON.stringify(put)}`);
        }
    if (batch.size > 4000) refused.push(...(await batch.flush()));
  }
  refused.push(...(await batch.flush()));
  expect(refused).toEqual([]);
  // Not vacuous: the combinations really differ.
  expect(seen.size).toBeGreaterThan(combinations);
});
