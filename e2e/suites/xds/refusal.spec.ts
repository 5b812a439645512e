import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { documents, istioYaml, type Seen, TestMesh, to } from '../../src/index.js';

jest.setTimeout(300_000);

describe.each(['delta', 'sotw'] as const)('a resource that Envoy refuses (%s)', (variant) => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await TestMesh.start({ variant, gateway: true, workloads: [{ name: 'reviews-v1' }] });
  });
  afterAll(() => mesh.stop());

  const listeners = async () => {
    const text = await mesh.gateway.admin('/listeners');
    return text.split('\n').flatMap((line) => /_(\d+)::/.exec(line)?.[1] ?? []);
  };

  const servers = istioYaml('Gateway', 'ingress', {
    selector: { istio: 'ingressgateway' },
    servers: [80, 9443].map((number) => ({ port: { number, name: `http-${number}`, protocol: 'HTTP' }, hosts: ['*'] })),
  });
  /** Whether a script is Lua only Envoy can say. The gateway of this mesh is in istio-system. */
  const scripted = (inlineCode: string) => {
    const spec = { match: [{ ports: [{ number: 9443 }] }], lua: { inlineCode } };
    const object = { metadata: { name: 'script', namespace: 'istio-system' }, spec };
    return documents(
      servers,
      `${JSON.stringify({ apiVersion: 'extensions.istio.io/v1alpha1', kind: 'TrafficExtension', ...object })}\n`,
    );
  };
  const routes = (marker: string) =>
    istioYaml('VirtualService', 'reviews', {
      hosts: ['*'],
      gateways: ['ingress'],
      http: [{ headers: { request: { set: { marker } } }, route: [to('reviews')] }],
    });
  const marker = async () => {
    const { status, body } = await mesh.callGateway('any.example.com', '/');
    return status === 200 ? (JSON.parse(body) as Seen).headers['marker'] : String(status);
  };

  it('X-37 [E] keeps its last good form, is told in the status, and stops nothing else', async () => {
    await mesh.apply('gateway', documents(scripted('function envoy_on_request(handle) end'), routes('one')));
    const before = await listeners();
    expect(before).toContain('9443');
    mesh.write('gateway', documents(scripted('this is no Lua'), routes('one')));
    await poll(async () => (await mesh.pilot.sync()).refusals.length > 0, 'the refusal to be known');
    const { refusals } = await mesh.pilot.sync();
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatchObject({
      name: expect.stringMatching(/_9443$/),
      message: expect.stringMatching(/script|Lua/i),
    });
    // Everything else goes on, and what was refused stays as it was.
    mesh.write('gateway', documents(scripted('this is no Lua'), routes('two')));
    await poll(async () => (await marker()) === 'two', 'the routes in force');
    expect(await listeners()).toEqual(before);
    await mesh.apply('gateway', documents(scripted('function envoy_on_request(handle) end'), routes('three')));
    expect(await marker()).toBe('three');
    expect((await mesh.pilot.sync()).refusals).toEqual([]);
  });
});
