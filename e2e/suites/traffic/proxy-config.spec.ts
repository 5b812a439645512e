import dgram from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { parseConfig } from '@seine/source-file';
import { MeshUnderTest } from '../../../libs/pipeline/src/testing/mesh-under-test.js';
import { documents, Envoy, freePort, istioYaml, request, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);

const meshConfig = `apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |
    defaultConfig:
      drainDuration: 7s
      runtimeValues: { seine.test: 'yes' }
      proxyMetadata: { LEVEL: default, ISTIO_META_TEAM: books }
`;
const proxyConfig = (name: string, spec: object, namespace = 'default') =>
  istioYaml('ProxyConfig', name, spec, namespace).replace('istio.io/v1', 'istio.io/v1beta1');
const variables = (LEVEL: string) => ({ environmentVariables: { LEVEL } });

/** A port of the proxy that answers with one of its environment variables. */
const tellsLevel = (port: number) =>
  istioYaml('EnvoyFilter', 'tell', {
    configPatches: [
      {
        applyTo: 'BOOTSTRAP',
        patch: {
          operation: 'MERGE',
          value: {
            static_resources: {
              listeners: [
                {
                  name: 'tell',
                  address: { socket_address: { address: '127.0.0.1', port_value: port } },
                  filter_chains: [
                    {
                      filters: [
                        {
                          name: 'manager',
                          typed_config: {
                            '@type':
                              'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                            stat_prefix: 'tell',
                            route_config: {
                              virtual_hosts: [
                                {
                                  name: 'all',
                                  domains: ['*'],
                                  response_headers_to_add: [
                                    { header: { key: 'x-level', value: '%ENVIRONMENT(LEVEL)%' } },
                                  ],
                                  routes: [{ match: { prefix: '/' }, direct_response: { status: 200 } }],
                                },
                              ],
                            },
                            http_filters: [
                              {
                                name: 'router',
                                typed_config: {
                                  '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router',
                                },
                              },
                            ],
                          },
                        },
                      ],
                    },
                  ],
                },
              ],
            },
          },
        },
      },
    ],
  }).replace('istio.io/v1', 'istio.io/v1alpha3');

interface ServerInfo {
  readonly command_line_options: { readonly concurrency: number; readonly drain_time: string };
  readonly node: { readonly metadata: Readonly<Record<string, unknown>> };
}

let mesh: TestMesh;
const started: Envoy[] = [];
beforeAll(async () => {
  mesh = await TestMesh.start();
});
afterAll(async () => {
  await Promise.all(started.map((envoy) => envoy.kill()));
  await mesh.stop();
});

/** Starts an Envoy in a mesh of these objects. @returns what it says of itself, and its variable LEVEL */
async function start(name: string, objects: readonly string[], annotation?: string) {
  const port = await freePort();
  const { objects: parsed, diagnostics } = parseConfig(
    documents(meshConfig, tellsLevel(port), ...objects),
    'mesh.yaml',
  );
  expect(diagnostics).toEqual([]);
  const envoy = await Envoy.start({
    node: { type: 'sidecar', name, namespace: 'default', ipAddresses: [mesh.clientAddress], labels: { app: name } },
    xdsPort: mesh.pilot.ports.xds,
    folder: mesh.folder,
    mesh: new MeshUnderTest(parsed).mesh,
    ...(annotation !== undefined && { annotations: { 'proxy.istio.io/config': annotation } }),
  });
  started.push(envoy);
  const { command_line_options: options, node } = await envoy.adminJson<ServerInfo>('/server_info');
  const { headers } = await request('127.0.0.1', port, '/');
  return { envoy, options, metadata: node.metadata, level: headers['x-level'] };
}

it('has the mesh’s defaults where nothing else says', async () => {
  const { envoy, options, metadata, level } = await start('plain', []);
  expect(options).toMatchObject({ concurrency: 1, drain_time: '7s' });
  expect(level).toBe('default');
  expect(metadata['TEAM']).toBe('books');
  const runtime = await envoy.adminJson<{ readonly entries: Record<string, { readonly final_value: string }> }>(
    '/runtime',
  );
  expect(runtime.entries['seine.test']?.final_value).toBe('yes');
});

it('prefers the namespace to the mesh, the annotation to both, and the workload to all', async () => {
  const layers = [
    proxyConfig('mesh', { concurrency: 2, ...variables('mesh') }, 'istio-system'),
    proxyConfig('namespace', { concurrency: 3, ...variables('namespace') }),
    proxyConfig('workload', { selector: { matchLabels: { app: 'chosen' } }, ...variables('workload') }),
  ];
  expect(await start('other', layers)).toMatchObject({ options: { concurrency: 3 }, level: 'namespace' });
  const annotation = 'concurrency: 4\nproxyMetadata: { LEVEL: annotation }\n';
  expect(await start('annotated', layers, annotation)).toMatchObject({
    options: { concurrency: 4 },
    level: 'annotation',
  });
  expect(await start('chosen', layers, annotation)).toMatchObject({ options: { concurrency: 4 }, level: 'workload' });
});

it('pushes statistics to the statsd that the annotation names', async () => {
  const statsd = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  try {
    await once(statsd, 'listening');
    const pushed = once(statsd, 'message');
    await start('measured', [], `statsdUdpAddress: 127.0.0.1:${statsd.address().port}`);
    const [message] = (await pushed) as [Buffer];
    expect(message.toString()).toMatch(/^envoy\./);
  } finally {
    statsd.close();
  }
});
