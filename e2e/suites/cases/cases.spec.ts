import fs from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import {
  documents,
  istioYaml,
  makeCertificate,
  networkingCases,
  repositoryRoot,
  type Sync,
  TestMesh,
  withCertificates,
} from '../../src/index.js';

jest.setTimeout(120_000);
const cases = networkingCases();
const sample = ['services.yaml', 'pods.yaml'].map((name) =>
  fs.readFileSync(path.join(repositoryRoot, 'examples/bookinfo/mesh', name), 'utf8'),
);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({ gateway: true, config: { sample: documents(...sample) } });
  makeCertificate(mesh.folder);
});
afterAll(() => mesh.stop());
afterEach(async () => {
  if (mesh.pilot.process.isRunning) return;
  // The case that ended pilot has failed; the others still get their turn.
  await mesh.pilot.process.ended;
  mesh.write('case', marker(0));
  await mesh.restartPilot();
});

/** A host of its own makes each file a change, whatever else is in it. */
const marker = (n: number) =>
  istioYaml('ServiceEntry', 'marker', {
    hosts: [`case-${n}.example.com`],
    ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
    resolution: 'STATIC',
    endpoints: [{ address: '127.0.0.9' }],
  });

/** Puts a file into force and waits until each Envoy has accepted or refused it. */
async function put(yaml: string): Promise<Sync> {
  const { revision } = await mesh.pilot.sync();
  mesh.write('case', yaml);
  let sync = await mesh.pilot.sync();
  await poll(
    async () => {
      sync = await mesh.pilot.sync();
      const answered = sync.proxies.filter(
        (proxy) => proxy.synced || Object.values(proxy.types).some(({ status }) => status === 'REJECTED'),
      );
      return sync.revision > revision && answered.length === mesh.envoys.length;
    },
    'an answer of every Envoy',
    30_000,
  );
  return sync;
}

it('has cases to look at', () => {
  expect(cases.filter(({ verdict }) => verdict === 'OK').length).toBeGreaterThan(50);
});

/** What pilot has said against the file since `from`. */
function errorsSince(from: number): string[] {
  return mesh.pilot.process.output
    .slice(from)
    .split('\n')
    .filter((line) => line.includes('case.yaml') && / error /.test(line));
}

it.each(cases.map(({ file, verdict, yaml }, index) => [verdict, file, yaml, index] as const))(
  'X-36 [E] %s: a sidecar and a gateway accept what comes of %s',
  async (verdict, _file, yaml, index) => {
    const from = mesh.pilot.process.output.length;
    const sync = await put(documents(`${withCertificates(yaml, mesh.folder).trimEnd()}\n`, marker(index)));
    const errors = errorsSince(from);
    const refused = sync.proxies.flatMap(({ name, types }) =>
      Object.entries(types).flatMap(([type, { nack }]) => (nack ? [`${name} ${type}: ${nack.message}`] : [])),
    );
    // Taken away again first, so that a failure stays one.
    await put(marker(index + cases.length));
    expect(refused).toEqual([]);
    if (verdict === 'OK') expect(errors).toEqual([]);
  },
);

it('leaves both Envoys live, having refused nothing', async () => {
  for (const envoy of mesh.envoys) {
    expect(await envoy.state()).toBe('LIVE');
    expect(await envoy.rejections()).toMatchObject({ count: 0 });
  }
});
