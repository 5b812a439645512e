import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { envoyBinary, repositoryRoot, TestProcess } from '../../src/index.js';

/** One answer, as the script below prints it. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Fetches one URL so many times and prints the answers. Node itself, so that nothing else need be installed. */
const fetcher = `
const [url, times] = process.argv.slice(1);
const answers = [];
for (let i = 0; i < Number(times); i++) {
  const response = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(10_000) })
    .then(async (r) => ({ status: r.status, body: await r.text() }), (error) => ({ status: 0, body: String(error.cause ?? error) }));
  answers.push(response);
}
console.log(JSON.stringify(answers));`;

/** Whether this machine can do what `--intercept` does: Linux, root, iptables. */
export function canIntercept(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const tools = ['ip', 'nsenter', 'unshare', 'iptables-restore'];
  return tools.every((tool) => spawnSync(tool, ['--version']).error === undefined);
}

/**
 * `seinectl up` in a network namespace of its own: its fixed ports are nobody's business, and the network it makes is
 * not in the machine's.
 */
export class NamespacedMesh {
  private constructor(
    readonly process: TestProcess,
    readonly folder: string,
  ) {}

  static async start(...flags: string[]): Promise<NamespacedMesh> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-e2e-up-'));
    const program = path.join(repositoryRoot, 'apps/all-in-one/dist/main.js');
    const up = [process.execPath, program, '--state', folder, '--envoy', await envoyBinary(), ...flags];
    const script = 'ip link set lo up && exec "$@"';
    const [command = '', ...args] = canIntercept() ? ['unshare', '--net', 'sh', '-c', script, 'sh', ...up] : up;
    const mesh = new TestProcess('seinectl up', command, args, { cwd: repositoryRoot });
    return new NamespacedMesh(mesh, folder);
  }

  /** A process that stays in the network namespace of another, so that one can look there when that has ended. */
  static async witness(pid: number): Promise<TestProcess> {
    const enter = ['--target', String(pid), '--net', '--', 'sh', '-c', 'echo here; exec sleep 1000'];
    const witness = new TestProcess('witness', 'nsenter', enter);
    await witness.until(() => witness.output.includes('here'), 'in the namespace');
    return witness;
  }

  async untilReady(): Promise<void> {
    await this.process.until(() => /^ready$/m.test(this.process.output), 'ready', 120_000);
  }

  /** Calls from where the mesh runs, or from the network of another process. */
  async fetch(url: string, times = 1, pid = this.process.pid): Promise<Answer[]> {
    const text = await this.run(pid, [process.execPath, '--input-type=module', '-e', fetcher, url, String(times)]);
    return JSON.parse(text) as Answer[];
  }

  async run(pid: number, command: readonly string[]): Promise<string> {
    return await new Promise((resolve, reject) => {
      execFile('nsenter', ['--target', String(pid), '--net', '--mount', '--', ...command], (error, stdout) => {
        if (error) reject(new Error(error.message, { cause: error }));
        else resolve(stdout);
      });
    });
  }

  /** A counter of a workload's Envoy, by the first part of the workload's name. */
  async stat(workload: string, pattern: string): Promise<number> {
    const { workloads } = JSON.parse(fs.readFileSync(path.join(this.folder, 'run.json'), 'utf8')) as {
      workloads: { name: string; adminPort: number }[];
    };
    const { adminPort } = workloads.find(({ name }) => name.startsWith(workload)) ?? { adminPort: 0 };
    const filter = encodeURIComponent(pattern);
    const [answer] = await this.fetch(`http://127.0.0.1:${adminPort}/stats?filter=${filter}`);
    const values = [...(answer?.body ?? '').matchAll(/: (\d+)$/gm)].map((match) => Number(match[1]));
    return values.reduce((sum, value) => sum + value, 0);
  }

  /** All processes that come of this mesh. */
  children(): { readonly pid: number; readonly command: string }[] {
    return processesBelow(this.process.pid);
  }

  async stop(): Promise<void> {
    await this.process.stop('SIGINT');
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

export function isAlive(pid: number): boolean {
  try {
    // A process that has ended and that nobody has asked about yet is a zombie: no more than a number.
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    // No such process.
    return false;
  }
}

function processesBelow(parent: number): { pid: number; command: string }[] {
  const all = fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = fs.readFileSync(`/proc/${name}/stat`, 'utf8');
        const ppid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        const command = fs.readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').join(' ');
        return [{ pid: Number(name), ppid, command }];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
  const found: { pid: number; command: string }[] = [];
  const parents = [parent];
  for (const pid of parents)
    for (const child of all.filter(({ ppid }) => ppid === pid)) {
      parents.push(child.pid);
      found.push(child);
    }
  return found;
}
