import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { planLoopback } from '../loopback/plan-loopback.js';
import { WorkloadSockets } from './workload-sockets.js';

const pod = (name: string, podIP: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  status: { podIP },
});
const { workloads } = planLoopback([pod('x'.repeat(253), '127.20.3.1'), pod('b', '127.20.4.1')], {
  wholeLoopback: true,
  isFree: () => true,
});

it('gives each workload a socket in a folder that only its owner can look into', async () => {
  const sockets = await WorkloadSockets.create(workloads);
  const paths = workloads.map((workload) => sockets.of(workload));
  try {
    expect(new Set(paths).size).toBe(2);
    for (const socket of paths) {
      // sun_path of the shortest system (macOS) has 104 bytes with its final zero.
      expect(Buffer.byteLength(socket)).toBeLessThan(104);
      expect(statSync(path.dirname(socket)).mode & 0o777).toBe(0o700);
    }
    expect(() => sockets.of({ ...workloads[0]! })).toThrow('has no socket');
  } finally {
    await sockets.remove();
  }
  expect(paths.some((socket) => existsSync(path.dirname(path.dirname(socket))))).toBe(false);
});
