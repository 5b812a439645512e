import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { documents, istioYaml, serviceYaml, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'vm-1' }, { name: 'vm-2' }] });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

/** @param healthy what the status condition says; undefined = there is none */
const entry = (name: string, healthy?: 'True' | 'False') => {
  const address = mesh.workloads.get(name)?.address;
  const status = healthy && { status: { conditions: [{ type: 'Healthy', status: healthy }] } };
  return `${istioYaml('WorkloadEntry', name, { address, labels: { app: 'legacy' } })}${
    status ? `status: ${JSON.stringify(status.status)}\n` : ''
  }`;
};
const legacy = istioYaml('ServiceEntry', 'legacy', {
  hosts: ['legacy.example.com'],
  location: 'MESH_INTERNAL',
  resolution: 'STATIC',
  ports: [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 8080 }],
  workloadSelector: { labels: { app: 'legacy' } },
});

it('sends nothing to a WorkloadEntry that is not healthy', async () => {
  await mesh.apply('legacy', documents(legacy, entry('vm-1', 'True'), entry('vm-2', 'False')));
  expect(await mesh.split(40, 'http://legacy.example.com/')).toEqual({ 'vm-1': 40 });
});

it('sends to it again when it is', async () => {
  await mesh.apply('legacy', documents(legacy, entry('vm-1', 'False'), entry('vm-2', 'True')));
  expect(await mesh.split(40, 'http://legacy.example.com/')).toEqual({ 'vm-2': 40 });
});

it('is picked by a Kubernetes Service, too', async () => {
  const service = serviceYaml({
    name: 'shop',
    ports: [{ name: 'http', port: 80, targetPort: 8080 }],
    selector: { app: 'legacy' },
  });
  await mesh.apply('legacy', documents(service, entry('vm-1')));
  expect(await mesh.split(10, 'http://shop/')).toEqual({ 'vm-1': 10 });
});
