import fs from 'node:fs';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { TypeUrl } from '@seine/envoy';
import { AdsClient, aNode, EnvoyLikeClient, poll } from '@seine/testing';
import { TestMesh } from '../../src/index.js';

jest.setTimeout(300_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'reviews-v1' }, { name: 'ratings-v1' }] });
});
afterAll(() => mesh.stop());

const residentMb = () => {
  const status = fs.readFileSync(`/proc/${mesh.pilot.process.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
};
const perConnection = 250;
const connected = async () => (await mesh.pilot.sync()).proxies.length;

it.each(['delta', 'sotw'] as const)(
  'X-26 keeps nothing of streams that were reset (15,000 rounds, %s)',
  async (variant) => {
    const rounds = async (count: number) => {
      // HTTP/2 servers end connections on which very many streams are reset: each gets its part.
      for (let part = 0; part < count; part += perConnection) {
        const client = new AdsClient(`127.0.0.1:${mesh.pilot.ports.xds}`);
        for (let i = 0; i < perConnection; i++) {
          const stream = client.open(variant, aNode(`node-${i}`)).request({ typeUrl: TypeUrl.cluster });
          await stream.next();
          stream.cancel();
          await stream.ended;
        }
        client.close();
      }
      await poll(async () => (await connected()) === 1, 'only the client’s Envoy left');
    };
    // The heap grows and shrinks in steps; what is kept of every stream would show in each of the parts.
    await rounds(3000);
    const growth: number[] = [];
    for (let part = 0; part < 3; part++) {
      const before = residentMb();
      await rounds(4000);
      growth.push(residentMb() / before - 1);
    }
    expect(Math.min(...growth)).toBeLessThanOrEqual(0.05);
  },
);

it('D-18 gives sidecars of both variants the same resources with the same bytes', async () => {
  const clients = (['delta', 'sotw'] as const).map((variant) => {
    const stream = new AdsClient(`127.0.0.1:${mesh.pilot.ports.xds}`).open(variant, aNode('twin'));
    return new EnvoyLikeClient(stream).start();
  });
  const [delta, sotw] = await Promise.all(clients.map((client) => client.untilComplete()));
  for (const typeUrl of [TypeUrl.cluster, TypeUrl.endpoint, TypeUrl.listener, TypeUrl.route]) {
    expect(delta!.stream.state.names(typeUrl).length).toBeGreaterThan(0);
    expect(delta!.stream.state.contents(typeUrl)).toEqual(sotw!.stream.state.contents(typeUrl));
  }
  for (const { stream } of [delta!, sotw!]) stream.cancel();
});
