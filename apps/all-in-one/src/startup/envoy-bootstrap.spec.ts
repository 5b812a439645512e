import { expect, it } from '@jest/globals';
import { type ConfigObject, objectKey } from '@seine/k8s';
import { defaultMeshConfig } from '@seine/model';
import { buildMesh } from '@seine/registry';
import { planLoopback } from '../loopback/plan-loopback.js';
import { envoyStart } from './envoy-bootstrap.js';

const pod = (annotations: Readonly<Record<string, string>>): ConfigObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'reviews-v1', namespace: 'default', labels: { app: 'reviews' }, annotations },
  spec: { containers: [{ name: 'a', ports: [{ name: 'http', containerPort: 9080 }] }] },
  status: { podIP: '127.20.3.1' },
});
const istio = (kind: string, apiVersion: string, spec: object): ConfigObject => ({
  apiVersion: `networking.istio.io/${apiVersion}`,
  kind,
  metadata: { name: 'x', namespace: 'default' },
  spec,
});

function start(objects: readonly ConfigObject[], annotations: Readonly<Record<string, string>> = {}) {
  const { mesh } = buildMesh(undefined, new Map(objects.map((o) => [objectKey(o), o])), defaultMeshConfig);
  const { workloads } = planLoopback([pod(annotations)], { wholeLoopback: true, isFree: () => true });
  const notices: string[] = [];
  const surroundings = { xds: { host: '127.0.0.1', port: 15010 }, admin: { port: 15000 } };
  return { ...envoyStart({ mesh, notice: (text) => notices.push(text) }, workloads[0]!, surroundings), notices };
}

it('starts an Envoy as the ProxyConfig of its namespace and the annotation of its pod say', () => {
  const config = istio('ProxyConfig', 'v1beta1', { concurrency: 2, environmentVariables: { A: 'b' } });
  const { concurrency, drainSeconds, environment } = start([config], {
    'proxy.istio.io/config': 'concurrency: 3\ndrainDuration: 20s',
  });
  expect({ concurrency, drainSeconds }).toEqual({ concurrency: 3, drainSeconds: 20 });
  expect(environment).toMatchObject({ A: 'b', SEINE_WORKLOAD: 'reviews-v1' });
});

it('tells of bootstrap patches that an Envoy does not get', () => {
  const bad = { applyTo: 'BOOTSTRAP', patch: { operation: 'MERGE', value: { admin: { address: { pipe: {} } } } } };
  const { bootstrap, notices } = start([istio('EnvoyFilter', 'v1alpha3', { configPatches: [bad] })]);
  expect(notices).toEqual([
    expect.stringMatching(/^warning SEINE-PATCH EnvoyFilter default\/x spec\.configPatches\[0\]: Left out/),
  ]);
  expect(JSON.parse(bootstrap)).toMatchObject({ admin: { address: { socket_address: { port_value: 15000 } } } });
});
