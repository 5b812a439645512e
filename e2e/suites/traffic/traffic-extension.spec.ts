import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { closeConnections, documents, istioYaml, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
const url = 'http://reviews:8080/';
const selector = { matchLabels: { app: 'reviews' } };
let mesh: TestMesh;

beforeAll(async () => {
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1', sidecar: true }, { name: 'ratings-v1' }],
    gateway: true,
    config: {
      front: documents(
        // A connection keeps the filters it began with; the next test's requests shall meet the next test's.
        istioYaml('DestinationRule', 'reviews', {
          host: 'reviews',
          trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } },
        }),
        istioYaml('Gateway', 'front', {
          selector: { istio: 'ingressgateway' },
          servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
        }),
        istioYaml('VirtualService', 'front', {
          hosts: ['front.example.com'],
          gateways: ['front'],
          http: [{ route: [{ destination: { host: 'ratings' } }] }],
        }),
      ),
    },
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

function extension(name: string, spec: object, namespace = 'default'): string {
  return `apiVersion: extensions.istio.io/v1alpha1
kind: TrafficExtension
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${JSON.stringify(spec)}
`;
}

/** A script that appends a word to a request header, so that the order of scripts is to be seen. */
const word = (text: string) => ({
  inlineCode: `function envoy_on_request(handle)
  local before = handle:headers():get("x-order") or ""
  handle:headers():replace("x-order", before .. "${text}>")
end`,
});

/** Waits until scripts run in this order: Envoy acknowledges a listener before its workers use it. */
const untilOrder = (expected: string) =>
  poll(async () => {
    closeConnections();
    await mesh.call(url);
    return mesh.echo('reviews-v1').seen.at(-1)?.headers['x-order'] === expected;
  }, `the order ${expected}`);

it('runs Lua on requests and responses of the selected workload only', async () => {
  const inlineCode = `function envoy_on_request(handle)
  handle:headers():add("x-seen", handle:headers():get(":path"))
end
function envoy_on_response(handle)
  handle:headers():add("x-lua-injected", "true")
end`;
  await mesh.apply('extensions', extension('lua', { selector, lua: { inlineCode } }));
  await poll(async () => (await mesh.call(`${url}a`)).headers['x-lua-injected'] === 'true', 'the script to run');
  expect(mesh.echo('reviews-v1').seen.at(-1)?.headers['x-seen']).toBe('/a');
  expect((await mesh.call('http://ratings:8080/')).headers['x-lua-injected']).toBeUndefined();
});

it('runs scripts in the order of phase, then priority', async () => {
  await mesh.apply(
    'extensions',
    documents(
      extension('a', { selector, lua: word('last') }),
      extension('b', { selector, phase: 'STATS', lua: word('stats') }),
      extension('c', { selector, phase: 'AUTHN', priority: 1, lua: word('authn-1') }),
      extension('d', { selector, phase: 'AUTHN', priority: 2, lua: word('authn-2') }),
      extension('e', { selector, phase: 'AUTHZ', lua: word('authz') }),
      extension('f', { phase: 'AUTHN', priority: 3, match: [{ mode: 'SERVER' }], lua: word('mesh') }, 'istio-system'),
    ),
  );
  await untilOrder('mesh>authn-2>authn-1>authz>stats>last>');
});

it('runs where match says: mode and port', async () => {
  const match = (mode: string, number: number) => [{ mode, ports: [{ number }] }];
  await mesh.apply(
    'extensions',
    documents(
      extension('a', { selector, match: match('SERVER', 8080), lua: word('in') }),
      extension('b', { selector, match: match('SERVER', 80), lua: word('other-port') }),
      extension('c', { selector, match: match('CLIENT', 8080), lua: word('out') }),
      extension('d', {
        match: [{ mode: 'CLIENT' }],
        selector: { matchLabels: { app: 'client' } },
        lua: word('client'),
      }),
    ),
  );
  await untilOrder('client>in>');
});

it('runs on gateways', async () => {
  const gateway = { matchLabels: { istio: 'ingressgateway' } };
  await mesh.apply('extensions', extension('a', { selector: gateway, lua: word('gateway') }, 'istio-system'));
  await poll(async () => {
    await mesh.callGateway('front.example.com', '/', { headers: { connection: 'close' } });
    return mesh.echo('ratings-v1').seen.at(-1)?.headers['x-order'] === 'gateway>';
  }, 'the script to run on the gateway');
});
