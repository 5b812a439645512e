import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RunFile, RunWorkload } from '@seine/api';

export function runWorkload(fields: Partial<RunWorkload>): RunWorkload {
  return {
    name: 'productpage-v1',
    namespace: 'default',
    service: 'productpage',
    version: 'v1',
    serviceAccount: 'bookinfo-productpage',
    address: '127.1.0.2',
    inboundPort: 9080,
    adminPort: 15000,
    proxyId: 'sidecar~127.1.0.2~productpage-v1.default~default.svc.cluster.local',
    ...fields,
  };
}

/** A state directory with the run file of a mesh that lives as long as this process. */
export class FakeState {
  private constructor(readonly dir: string) {}

  static async create(run?: Partial<RunFile> | string): Promise<FakeState> {
    const state = new FakeState(await mkdtemp(path.join(tmpdir(), 'seinectl-')));
    if (run !== undefined) await state.write(run);
    return state;
  }

  async write(run: Partial<RunFile> | string): Promise<void> {
    const whole = { pid: process.pid, startedAt: '2026-01-01T00:00:00Z', urls: {}, workloads: [] };
    const text = typeof run === 'string' ? run : JSON.stringify({ ...whole, ...run });
    await writeFile(path.join(this.dir, 'run.json'), text);
  }

  async remove(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }
}
