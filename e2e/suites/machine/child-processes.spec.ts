import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { LaptopMesh } from '../../src/index.js';

jest.setTimeout(300_000);

const mesh = new LaptopMesh();
beforeAll(() => mesh.start());
afterAll(async () => {
  await mesh.interrupt();
  mesh.remove();
});

interface Child {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** All that runs, zombies left out: they are no more than a number. */
function processes(): Child[] {
  const text = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args=']).toString();
  return [...text.matchAll(/^ *(\d+) +(\d+) +(\S+) +(.*)$/gm)]
    .filter(([, , , state]) => !state?.startsWith('Z'))
    .map(([, pid, parent, , command = '']) => ({ pid: Number(pid), parent: Number(parent), command }));
}

/** `seinectl up` is what the test started; the mesh is its child, and the rest are the mesh's. */
const meshProcess = (): Child | undefined => processes().find(({ parent }) => parent === mesh.process.pid);
const children = (): Child[] => {
  const up = meshProcess();
  return processes().filter(({ parent }) => parent === up?.pid);
};

it('starts an Envoy again that has been killed, and says so', async () => {
  const envoy = children().find(({ command }) => command.includes('/envoys/details-v1'));
  process.kill(envoy?.pid ?? 0, 'SIGKILL');
  await mesh.process.until(() => mesh.process.output.includes('Envoy of details-v1 is up again'), 'up again');
  expect(mesh.process.output).toMatch(/^! Envoy of details-v1 was ended by SIGKILL: starting it again in 0.25 s/m);
  expect((await mesh.get('/api/v1/products/0')).status).toBe(200);
});

it('starts an application again that has ended', async () => {
  const app = children().find(({ command }) => command.endsWith('main.js ratings'));
  process.kill(app?.pid ?? 0, 'SIGTERM');
  await mesh.process.until(() => mesh.process.output.includes('ratings-v1 is up again'), 'up again');
  await poll(async () => (await mesh.status('/api/v1/products/0/ratings')) === 200, 'an answer of ratings');
});

it('leaves no child behind when it is killed itself', async () => {
  const before = children();
  expect(before.length).toBeGreaterThan(16);
  process.kill(meshProcess()?.pid ?? 0, 'SIGKILL');
  const alive = () => processes().filter(({ pid }) => before.some((child) => child.pid === pid));
  await poll(() => alive().length === 0, 'the end of all children');
  await mesh.process.ended;
});

it('starts again where it was killed', async () => {
  await mesh.start();
  expect((await mesh.get('/productpage')).status).toBe(200);
});
