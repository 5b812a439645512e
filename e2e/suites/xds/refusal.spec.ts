import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { documents, istioYaml, makeCertificate, type Seen, TestMesh, to } from '../../src/index.js';

jest.setTimeout(300_000);

describe.each(['delta', 'sotw'] as const)('a resource that Envoy refuses (%s)', (variant) => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await TestMesh.start({ variant, gateway: true, workloads: [{ name: 'reviews-v1' }] });
    makeCertificate(mesh.folder);
  });
  afterAll(() => mesh.stop());

  const listeners = async () => {
    const text = await mesh.gateway.admin('/listeners');
    return text.split('\n').flatMap((line) => /_(\d+)::/.exec(line)?.[1] ?? []);
  };

  /** Whether the key is there only the gateway's own Envoy can see. */
  const gateway = (key: string) =>
    istioYaml('Gateway', 'ingress', {
      selector: { istio: 'ingressgateway' },
      servers: [
        { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] },
        {
          port: { number: 9443, name: 'https', protocol: 'HTTPS' },
          hosts: ['*'],
          tls: {
            mode: 'SIMPLE',
            serverCertificate: path.join(mesh.folder, 'cert.pem'),
            privateKey: path.join(mesh.folder, key),
          },
        },
      ],
    });
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
    await mesh.apply('gateway', documents(gateway('key.pem'), routes('one')));
    const before = await listeners();
    expect(before).toContain('9443');
    mesh.write('gateway', documents(gateway('no-such-key.pem'), routes('one')));
    await poll(async () => (await mesh.pilot.sync()).refusals.length > 0, 'the refusal to be known');
    const { refusals } = await mesh.pilot.sync();
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatchObject({
      name: expect.stringMatching(/_9443$/),
      message: expect.stringContaining('no-such-key.pem'),
    });
    // Everything else goes on, and what was refused stays as it was.
    mesh.write('gateway', documents(gateway('no-such-key.pem'), routes('two')));
    await poll(async () => (await marker()) === 'two', 'the routes in force');
    expect(await listeners()).toEqual(before);
    await mesh.apply('gateway', documents(gateway('key.pem'), routes('three')));
    expect(await marker()).toBe('three');
    expect((await mesh.pilot.sync()).refusals).toEqual([]);
  });
});
