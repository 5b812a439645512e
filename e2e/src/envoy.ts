import fs from 'node:fs';
import path from 'node:path';
import { type BootstrapOptions, proxyEnvironment } from '@seine/bootstrap';
import { envoyProcess, envoyState, findEnvoy } from '@seine/envoy-process';
import { defaultMeshConfig, type Mesh } from '@seine/model';
import { proxyStart } from '@seine/pipeline';
import { TestProcess } from './child-process.js';
import { request } from './http-request.js';
import { freePort } from './loopback.js';

let found: Promise<string> | undefined;

/** Path of the Envoy that tests run: ENVOY_PATH, or as `npm start` finds it. A machine without one fails the tests. */
export async function envoyBinary(): Promise<string> {
  return await (found ??= findEnvoy().then(({ path: binary }) => binary));
}

export interface EnvoyOptions {
  readonly node: BootstrapOptions['node'];
  readonly xdsPort: number;
  readonly folder: string;
  /** `sotw` makes it ask by state-of-the-world; default delta, as the bootstrap has it. */
  readonly variant?: 'delta' | 'sotw' | undefined;
  /** Of the agent; default there is none. */
  readonly agentSocket?: string | undefined;
  /** Of its admin interface, on 127.0.0.1; default one that is free. */
  readonly adminPort?: number | undefined;
  /** SPIFFE ID of pilot: xDS over mutual TLS, by the agent's certificates; default plain text. */
  readonly xdsIdentity?: string | undefined;
  /** What says how it is started; default nothing does. */
  readonly mesh?: Pick<Mesh, 'config' | 'resources'> | undefined;
  /** Of its pod. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

const plainMesh = { config: defaultMeshConfig, resources: new Map() };

/** A real Envoy, started with Seine's own bootstrap. */
export class Envoy {
  private constructor(
    readonly name: string,
    readonly process: TestProcess,
    readonly adminPort: number,
    private readonly logFile: string,
  ) {}

  /** Starts it without waiting for anything. */
  static async spawn(envoyOptions: EnvoyOptions): Promise<Envoy> {
    const { node, xdsPort, xdsIdentity, folder, variant, mesh = plainMesh, annotations, agentSocket } = envoyOptions;
    const adminPort = envoyOptions.adminPort ?? (await freePort());
    const address = node.ipAddresses[0] ?? '127.0.0.1';
    const options = {
      node,
      annotations,
      agentSocket,
      xds: { host: '127.0.0.1', port: xdsPort, identity: xdsIdentity },
      admin: { port: adminPort },
      statusAddress: address,
      prometheusPort: 0,
      readyPort: 0,
    };
    const { bootstrap, environment, ...start } = proxyStart(mesh, options);
    const bootstrapFile = path.join(folder, `${node.name}.bootstrap.json`);
    const logFile = path.join(folder, `${node.name}.log`);
    fs.writeFileSync(bootstrapFile, variant === 'sotw' ? bootstrap.replace('DELTA_GRPC', 'GRPC') : bootstrap);
    const spec = envoyProcess({
      workload: node.name,
      envoy: await envoyBinary(),
      bootstrapFile,
      logFile,
      admin: { host: '127.0.0.1', port: adminPort },
      ...start,
      environment: { ...proxyEnvironment(node), ...environment },
    });
    const { env } = spec;
    const envoy = new TestProcess(spec.name, spec.command, [...spec.args, '--log-path', logFile], env && { env });
    return new Envoy(node.name, envoy, adminPort, logFile);
  }

  /** Starts it and waits until it is LIVE: its first configuration is in force. */
  static async start(options: EnvoyOptions): Promise<Envoy> {
    const envoy = await Envoy.spawn(options);
    await envoy.untilLive();
    return envoy;
  }

  async untilLive(): Promise<void> {
    await this.process.until(async () => (await this.state()) === 'LIVE', 'live');
  }

  /** Waits until no listener and no cluster waits for its secrets any more. */
  async untilWarm(): Promise<void> {
    const warming = '^(listener_manager.total_listeners_warming|cluster_manager.warming_clusters)$';
    await this.process.until(async () => [...(await this.stats(warming)).values()].every((n) => n === 0), 'warm');
  }

  async state(): Promise<string | undefined> {
    return await envoyState({ host: '127.0.0.1', port: this.adminPort });
  }

  async admin(target: string, method = 'GET'): Promise<string> {
    const { status, body } = await request('127.0.0.1', this.adminPort, target, { method });
    if (status !== 200) throw new Error(`${this.name}: ${target} answered ${status}: ${body}`);
    return body;
  }

  async adminJson<T>(target: string): Promise<T> {
    return JSON.parse(await this.admin(target)) as T;
  }

  /** A counter or gauge; 0 where Envoy has none of that name yet. */
  async stat(name: string): Promise<number> {
    const pattern = `^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;
    return (await this.stats(pattern)).get(name) ?? 0;
  }

  /** All counters and gauges whose names match a regular expression. */
  async stats(pattern: string): Promise<Map<string, number>> {
    const text = await this.admin(`/stats?filter=${encodeURIComponent(pattern)}`);
    const lines = text.split('\n').filter((line) => /: \d+$/.test(line));
    return new Map(
      lines.map((line) => {
        const at = line.lastIndexOf(': ');
        return [line.slice(0, at), Number(line.slice(at + 2))];
      }),
    );
  }

  /** The one address at which it listens on a port. */
  async listenerAddress(port: number): Promise<string> {
    interface Listeners {
      readonly listener_statuses: readonly {
        readonly local_address: { readonly socket_address: { readonly address: string; readonly port_value: number } };
      }[];
    }
    const { listener_statuses } = await this.adminJson<Listeners>('/listeners?format=json');
    const found = listener_statuses.map((s) => s.local_address.socket_address).filter((a) => a.port_value === port);
    if (found.length !== 1) throw new Error(`${found.length} listeners on port ${port}`);
    return found[0]!.address;
  }

  /** What Envoy refused since it started, over all xDS types, with its own words from the log. */
  async rejections(): Promise<{ count: number; messages: string[] }> {
    const stats = await this.stats('(update_rejected|lds\\.update_rejected|cds\\.update_rejected)$');
    const count = [...stats.values()].reduce((sum, value) => sum + value, 0);
    return { count, messages: this.log.split('\n').filter((line) => /rejected|gRPC config .* for/i.test(line)) };
  }

  get log(): string {
    return fs.existsSync(this.logFile) ? fs.readFileSync(this.logFile, 'utf8') : '';
  }

  async kill(): Promise<void> {
    await this.process.stop('SIGKILL');
  }
}
