import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PlannedWorkload } from '../plan/planned-workload.js';

/** Others may pass through to a folder of their own, and see nothing. */
const passMode = 0o711;
const ownerMode = 0o700;

/**
 * Where the agent serves each workload's secrets: a socket a workload, in a folder that nobody else can look into. They
 * stand in the system's folder for such things, as a path of more than 107 bytes can be no socket.
 */
export class WorkloadSockets {
  readonly #folders = new Map<PlannedWorkload, string>();

  private constructor(private readonly base: string) {}

  static async create(workloads: readonly PlannedWorkload[]): Promise<WorkloadSockets> {
    const base = await mkdtemp(path.join(tmpdir(), 'seine-sds-'));
    const sockets = new WorkloadSockets(base);
    await chmod(base, passMode);
    for (const [index, workload] of workloads.entries()) {
      const folder = path.join(base, String(index));
      await mkdir(folder, { mode: ownerMode });
      sockets.#folders.set(workload, folder);
    }
    return sockets;
  }

  /** @throws Error for a workload that it was not created with */
  of(workload: PlannedWorkload): string {
    return path.join(this.#folderOf(workload), 'socket');
  }

  /** Lets a user in whose Envoy this is, once the socket is served. */
  async give(workload: PlannedWorkload, { uid, gid }: { readonly uid: number; readonly gid: number }): Promise<void> {
    for (const file of [this.#folderOf(workload), this.of(workload)]) await chown(file, uid, gid);
  }

  async remove(): Promise<void> {
    await rm(this.base, { recursive: true, force: true });
  }

  #folderOf(workload: PlannedWorkload): string {
    const folder = this.#folders.get(workload);
    if (folder === undefined) throw new Error(`${workload.name} has no socket`);
    return folder;
  }
}
