import path from 'node:path';
import { TestProcess } from './child-process.js';
import { request } from './http-request.js';
import { freePort } from './loopback.js';
import { repositoryRoot } from './repository.js';

export interface SyncOfType {
  readonly status: string;
  readonly sent: string;
  readonly acked: string;
  readonly nack?: { readonly message: string };
}

/** One proxy in pilot's /debug/syncz. */
export interface SyncOfProxy {
  readonly id: string;
  readonly name: string;
  readonly protocol: string;
  /** RFC 3339. */
  readonly connectedAt: string;
  readonly ackedRevision: number;
  readonly synced: boolean;
  readonly types: Readonly<Record<string, SyncOfType>>;
}

export interface Sync {
  readonly revision: number;
  readonly proxies: readonly SyncOfProxy[];
  readonly refusals: readonly { readonly typeUrl: string; readonly name: string; readonly message: string }[];
}

export interface PilotPorts {
  /** Plain text; 0 = none. */
  readonly xds: number;
  readonly admin: number;
  /** Over mutual TLS; the further arguments say who signs. */
  readonly secureXds?: number | undefined;
}

/** The built pilot on a folder of YAML, as `npm run pilot` runs it. */
export class PilotProcess {
  private constructor(
    readonly process: TestProcess,
    readonly ports: PilotPorts,
  ) {}

  /** Starts it without waiting until it serves. */
  static async spawn(configDir: string, ports?: PilotPorts, args: readonly string[] = []): Promise<PilotProcess> {
    const chosen = ports ?? { xds: await freePort(), admin: await freePort() };
    const line = [
      ...['--config-dir', configDir, '--admin', `127.0.0.1:${chosen.admin}`],
      ...(chosen.xds === 0 ? [] : ['--xds', `127.0.0.1:${chosen.xds}`]),
      ...(chosen.secureXds === undefined ? [] : ['--secure-xds', `127.0.0.1:${chosen.secureXds}`]),
    ];
    const program = path.join(repositoryRoot, 'apps/pilot/dist/main.js');
    const pilot = new TestProcess('pilot', process.execPath, [program, ...line, ...args], { cwd: repositoryRoot });
    return new PilotProcess(pilot, chosen);
  }

  static async start(configDir: string, ports?: PilotPorts, args: readonly string[] = []): Promise<PilotProcess> {
    const pilot = await PilotProcess.spawn(configDir, ports, args);
    await pilot.untilReady();
    return pilot;
  }

  async untilReady(): Promise<void> {
    await this.process.until(() => /^ready$/m.test(this.process.output), 'ready');
  }

  async admin(target: string): Promise<string> {
    if (!this.process.isRunning) throw new Error(`pilot has ended: ${this.process.output.slice(-4000)}`);
    const { status, body } = await request('127.0.0.1', this.ports.admin, target);
    if (status !== 200) throw new Error(`pilot: ${target} answered ${status}: ${body}`);
    return body;
  }

  async sync(): Promise<Sync> {
    return JSON.parse(await this.admin('/debug/syncz')) as Sync;
  }

  /** Waits until a revision after `revision` is in force and every proxy of these names has acknowledged it. */
  async untilSynced(names: readonly string[], revision = 0): Promise<Sync> {
    let sync = await this.sync();
    await this.process.until(
      async () => {
        sync = await this.sync();
        const synced = new Set(sync.proxies.filter((proxy) => proxy.synced).map((proxy) => proxy.name));
        return sync.revision > revision && names.every((name) => synced.has(name));
      },
      `synced with ${names.join(', ')}`,
    );
    return sync;
  }

  /** A counter or gauge of /metrics, summed over its labels. */
  async metric(name: string): Promise<number> {
    const lines = (await this.admin('/metrics')).split('\n').filter((line) => line.split(/[{ ]/)[0] === name);
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** @returns the exit code */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    return await this.process.stop(signal);
  }
}
