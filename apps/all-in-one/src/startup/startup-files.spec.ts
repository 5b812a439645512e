import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RunFile } from '@seine/api';
import { planLoopback } from '../loopback/plan-loopback.js';
import { foldersForRegistry, readObjects } from './mesh-objects.js';
import { removeRunFile, runWorkload, writeRunFile } from './run-file.js';
import { runningMesh } from './running-mesh.js';
import { busyPorts, tryListen } from './try-listen.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'seine-startup-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const podYaml = `
apiVersion: v1
kind: Pod
metadata: {name: reviews-v1-6d-x, labels: {app: reviews, version: v1, pod-template-hash: 6d}}
spec: {serviceAccountName: bookinfo-reviews, containers: [{name: a, ports: [{name: http, containerPort: 9080}]}]}
status: {podIP: 127.20.3.1}
---
apiVersion: v1
kind: Service
metadata: {name: reviews}
spec: {selector: {app: reviews}, ports: [{name: http, port: 9080, targetPort: http}]}
`;

function plan(wholeLoopback: boolean) {
  writeFileSync(path.join(dir, 'mesh.yaml'), podYaml);
  const objects = readObjects([dir]);
  return { objects, ...planLoopback(objects, { wholeLoopback, isFree: () => true }) };
}

describe('the folders of the registry', () => {
  const users = ['/users'];

  it('are those given where no pod moves', async () => {
    const { objects, workloads } = plan(true);
    const state = path.join(dir, 'state');
    expect(await foldersForRegistry({ own: [dir], users }, workloads, objects, state)).toEqual([dir, '/users']);
  });

  it('have the moved pods, and all that stood beside them, in place of our own', async () => {
    const { objects, workloads } = plan(false);
    const state = path.join(dir, 'state');
    const folders = await foldersForRegistry({ own: [dir], users }, workloads, objects, state);
    expect(folders).toEqual([path.join(state, 'moved-pods'), '/users']);
    const read = readObjects(folders.slice(0, 1));
    expect(read.map(({ kind, metadata }) => [kind, metadata.name])).toEqual([
      ['Pod', 'reviews-v1-6d-x'],
      ['Service', 'reviews'],
    ]);
    expect(read[0]).toMatchObject({
      spec: { containers: [{ ports: [{ containerPort: 19_300 }] }] },
      status: { podIP: '127.0.0.1' },
    });
  });
});

describe('the run file', () => {
  const run: RunFile = { pid: process.pid, startedAt: '2026-01-01T00:00:00Z', urls: {}, workloads: [] };
  const file = (): string => path.join(dir, 'run.json');

  it('names workloads as seinectl shows them', () => {
    expect(plan(true).workloads.map(runWorkload)).toEqual([
      {
        name: 'reviews-v1-6d-x',
        namespace: 'default',
        service: 'reviews',
        version: 'v1',
        serviceAccount: 'bookinfo-reviews',
        address: '127.20.3.1',
        inboundPort: 9080,
        adminPort: 15_100,
        proxyId: 'sidecar~127.20.3.1~reviews-v1-6d-x.default~default.svc.cluster.local',
      },
    ]);
  });

  it('is removed by who wrote it alone', async () => {
    await writeRunFile(dir, run);
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual(run);
    await removeRunFile(dir, process.pid + 1);
    expect(existsSync(file())).toBe(true);
    await removeRunFile(dir, process.pid);
    expect(existsSync(file())).toBe(false);
  });

  it.each([
    ['a mesh', ['all-in-one'], true],
    ['another program with its number', ['other'], false],
  ])('of %s is told apart', async (_what, names, isMesh) => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume(); console.log(1)', ...names]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const pid = child.pid ?? 0;
    await writeRunFile(dir, { ...run, pid });
    expect(await runningMesh(dir)).toBe(isMesh ? pid : undefined);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.stdin.end();
    await gone;
    expect(await runningMesh(dir)).toBeUndefined();
  });

  it.each(['', '{', '[]', '{"pid":"x"}'])('with the text %j is no mesh', async (text) => {
    writeFileSync(file(), text);
    expect(await runningMesh(dir)).toBeUndefined();
  });
});

describe('trying a port', () => {
  it('tells free, busy and foreign ones apart', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await tryListen('127.0.0.1', port)).toBe('in-use');
    expect([...(await busyPorts([port]))]).toEqual([port]);
    await new Promise((resolve) => server.close(resolve));
    expect(await tryListen('127.0.0.1', port)).toBe('free');
    expect(await tryListen('192.0.2.1', 0)).toBe('no-address');
  });
});
