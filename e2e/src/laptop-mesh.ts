import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { RunWorkload } from '@seine/api';
import { TestProcess } from './child-process.js';
import { envoyBinary } from './envoy.js';
import { request, type Reply } from './http-request.js';
import { repositoryRoot } from './repository.js';

const seinectl = path.join(repositoryRoot, 'apps/seinectl/dist/main.js');
const ingress = { host: '127.0.0.1', port: 8080 };

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `seinectl workloads -o json`. */
export type LaptopWorkload = Omit<RunWorkload, 'proxyId'>;

/** The whole of `npm start` from the built checkout, on YAML and state of its own. */
export class LaptopMesh {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-laptop-'));
  #process: TestProcess | undefined;

  constructor() {
    const sample = path.join(repositoryRoot, 'examples/bookinfo/config');
    fs.cpSync(sample, this.configDir, { recursive: true });
  }

  get configDir(): string {
    return path.join(this.folder, 'config');
  }

  get stateDir(): string {
    return path.join(this.folder, 'state');
  }

  get process(): TestProcess {
    if (!this.#process) throw new Error('the mesh is not started');
    return this.#process;
  }

  /** Starts it without waiting. */
  async spawn(...flags: readonly string[]): Promise<TestProcess> {
    const args = [seinectl, 'up', '--config', this.configDir, '--state', this.stateDir, ...flags];
    this.#process = new TestProcess('seinectl up', process.execPath, args, {
      cwd: repositoryRoot,
      env: { ...process.env, ENVOY_PATH: await envoyBinary() },
      // Its own process group, as a terminal gives it: Ctrl-C goes to all of it.
      detached: true,
    });
    return this.#process;
  }

  /** Starts it and waits until it says that it is up. */
  async start(...flags: readonly string[]): Promise<void> {
    const up = await this.spawn(...flags);
    await up.until(() => /^The mesh is up /m.test(up.output), 'up', 120_000);
  }

  /** Ctrl-C: an interrupt to every process of the group. @returns the exit code of the first */
  async interrupt(): Promise<number> {
    if (this.process.isRunning) process.kill(-this.process.pid, 'SIGINT');
    return await this.process.stop('SIGCONT');
  }

  /** The ingress gateway's answer. */
  async get(target: string): Promise<Reply> {
    return await request(ingress.host, ingress.port, target);
  }

  /** The status of the ingress's answer; 0 when nobody answers. */
  async status(target: string): Promise<number> {
    try {
      return (await this.get(target)).status;
    } catch {
      return 0; // nobody listens there
    }
  }

  /** Which version of reviews answered each of so many calls, counted. */
  async reviews(count: number): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (let i = 0; i < count; i++) {
      const { body } = await this.get('/api/v1/products/0/reviews');
      const version = /"podname": *"reviews-(v\d)/.exec(body)?.[1] ?? `none in ${body}`;
      counts[version] = (counts[version] ?? 0) + 1;
    }
    return counts;
  }

  /** Runs seinectl against this mesh. @param input its standard input */
  async seinectl(args: readonly string[], input = ''): Promise<CommandResult> {
    return await new Promise((resolve) => {
      const env = { ...process.env, SEINE_STATE: this.stateDir };
      const options = { cwd: repositoryRoot, env, timeout: 60_000 };
      const child = execFile(process.execPath, [seinectl, ...args], options, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
      });
      child.stdin?.end(input);
    });
  }

  async workloads(): Promise<readonly LaptopWorkload[]> {
    const { stdout, stderr } = await this.seinectl(['workloads', '-o', 'json']);
    if (stderr) throw new Error(stderr);
    return JSON.parse(stdout) as LaptopWorkload[];
  }

  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
