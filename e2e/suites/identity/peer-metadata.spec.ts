import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readExposition, withIstioNames } from '@seine/telemetry';
import { poll } from '@seine/testing';
import { type Envoy, many, request, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    identity: true,
    gateway: true,
    workloads: [{ name: 'reviews-v1', sidecar: true }],
    config: {
      edge: `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: 8080, name: http, protocol: HTTP }, hosts: ['*'] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: edge, namespace: default }
spec:
  hosts: ['*']
  gateways: [edge]
  http: [{ route: [{ destination: { host: reviews, port: { number: 8080 } } }] }]
`,
    },
  });
});
afterAll(() => mesh.stop());

type Labels = Readonly<Record<string, string>>;

/** What an Envoy has counted at the destination, by the labels that tell who called. */
async function received(envoy: Envoy): Promise<readonly (readonly [Labels, number])[]> {
  const families = withIstioNames(readExposition(await envoy.admin('/stats/prometheus?filter=istio_requests_total')));
  return [...(families.get('istio_requests_total')?.series ?? [])].flatMap(([key, value]) => {
    const labels: Record<string, string> = Object.fromEntries(
      [...key.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', text = '']) => [name, text]),
    );
    return labels['reporter'] === 'destination' ? [[labels, value] as const] : [];
  });
}

async function requestsOf(caller: Labels): Promise<number> {
  const all = await received(mesh.envoy('reviews-v1'));
  const ours = all.filter(([labels]) => Object.entries(caller).every(([name, value]) => labels[name] === value));
  return ours.reduce((sum, [, value]) => sum + value, 0);
}

const client = {
  source_workload: 'client',
  source_workload_namespace: 'default',
  source_app: 'client',
  source_canonical_service: 'client',
  source_canonical_revision: 'latest',
  source_principal: 'spiffe://cluster.local/ns/default/sa/client',
  destination_principal: 'spiffe://cluster.local/ns/default/sa/reviews',
  connection_security_policy: 'mutual_tls',
};

describe('metrics at the destination', () => {
  it('name the workload that called, proved by its certificate', async () => {
    await poll(
      async () => {
        await mesh.call('http://reviews:8080/');
        return (await requestsOf(client)) > 0;
      },
      'requests within mutual TLS',
      30_000,
    );
    const before = await requestsOf(client);
    await many(100, () => mesh.call('http://reviews:8080/'), 4);
    expect((await requestsOf(client)) - before).toBe(100);
  });

  it('name the gateway, whatever its clients say', async () => {
    const forged = 'w=forged;n=default;s=forged;r=v1;a=forged;v=v1;c=c';
    const reply = await request(mesh.gatewayAddress, 8080, '/', {
      headers: { host: 'a.example', 'x-seine-peer': forged },
    });
    expect(reply.status).toBe(200);
    expect(await requestsOf({ source_workload: 'forged' })).toBe(0);
    expect(
      await requestsOf({ source_app: 'istio-ingressgateway', connection_security_policy: 'mutual_tls' }),
    ).toBeGreaterThan(0);
  });

  it('say `unknown` of plain text, whatever it says', async () => {
    const address = mesh.workloads.get('reviews-v1')?.address ?? '';
    const reply = await request(address, 8080, '/', { headers: { host: 'reviews', 'x-seine-peer': 'w=liar;n=x' } });
    expect(reply.status).toBe(200);
    expect(await requestsOf({ source_workload: 'liar' })).toBe(0);
    expect(
      await requestsOf({ source_workload: 'unknown', source_principal: 'unknown', connection_security_policy: 'none' }),
    ).toBeGreaterThan(0);
  });

  it('leave nothing of it to the application', async () => {
    await mesh.call('http://reviews:8080/');
    const seen = mesh.echo('reviews-v1').seen.map(({ headers }) => headers['x-seine-peer']);
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set([undefined]));
  });
});
