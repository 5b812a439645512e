import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { EchoServer, type Seen } from './echo-server.js';
import { Envoy } from './envoy.js';
import { many, type Reply, request, type RequestOptions } from './http-request.js';
import { LoopbackAddresses } from './loopback.js';
import { documents, podYaml, type ServiceYaml, serviceYaml } from './mesh-yaml.js';
import { PilotProcess } from './pilot-process.js';

const httpProxyPort = 15_007;
const gatewayPort = 8080;

export interface WorkloadOptions {
  /** `reviews-v1` */
  readonly name: string;
  /** Label `app`, and the Service that selects it; default the name up to its last dash. */
  readonly app?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Whether it has an Envoy in front; without one it is reached directly. */
  readonly sidecar?: boolean;
}

export interface MeshOptions {
  /** Upstreams, each an EchoServer on an address of its own. */
  readonly workloads?: readonly WorkloadOptions[];
  /** Services beyond the one an `app` label gets. */
  readonly services?: readonly ServiceYaml[];
  /** Whether there is an ingress gateway. */
  readonly gateway?: boolean;
  /** Whether there is an egress gateway: Service `istio-egressgateway`, ports 80 and 443. */
  readonly egressGateway?: boolean;
  readonly variant?: 'delta' | 'sotw';
  /** Where the client is. */
  readonly locality?: { readonly region: string; readonly zone: string; readonly subzone: string };
  /** More YAML, by file name without ending. */
  readonly config?: Readonly<Record<string, string>>;
  /** Further arguments of pilot. */
  readonly pilotArguments?: readonly string[];
}

export interface Workload {
  readonly name: string;
  readonly address: string;
  readonly echo: EchoServer;
  readonly envoy: Envoy | undefined;
}

/** A mesh of real processes: one pilot, a `client` with a sidecar, upstreams, and a gateway if asked for. */
export class TestMesh {
  readonly workloads = new Map<string, Workload>();
  readonly #addresses = new LoopbackAddresses();
  readonly #envoys: Envoy[] = [];
  #pilot: PilotProcess | undefined;
  #clientAddress = '';
  #gatewayAddress = '';

  private constructor(
    readonly folder: string,
    private readonly options: MeshOptions,
  ) {}

  get configDir(): string {
    return path.join(this.folder, 'config');
  }

  static async start(options: MeshOptions = {}): Promise<TestMesh> {
    const mesh = new TestMesh(fs.mkdtempSync(path.join(os.tmpdir(), 'seine-e2e-')), options);
    fs.mkdirSync(mesh.configDir);
    try {
      await mesh.#start();
      return mesh;
    } catch (error) {
      await mesh.stop();
      throw error;
    }
  }

  get pilot(): PilotProcess {
    if (!this.#pilot) throw new Error('the mesh has no pilot');
    return this.#pilot;
  }

  /** Starts a pilot on the ports of the last one, which has ended, and waits until every Envoy is back and in step. */
  async restartPilot(): Promise<void> {
    this.#pilot = await PilotProcess.start(this.configDir, this.pilot.ports, this.options.pilotArguments);
    await this.untilSynced();
  }

  /** The Envoy of the client. */
  get client(): Envoy {
    return this.envoy('client');
  }

  get gateway(): Envoy {
    return this.envoy('gateway');
  }

  get gatewayAddress(): string {
    return this.#gatewayAddress;
  }

  get clientAddress(): string {
    return this.#clientAddress;
  }

  get envoys(): readonly Envoy[] {
    return this.#envoys;
  }

  envoy(name: string): Envoy {
    const envoy = this.#envoys.find((candidate) => candidate.name === name);
    if (!envoy) throw new Error(`the mesh has no Envoy ${name}`);
    return envoy;
  }

  echo(name: string): EchoServer {
    const workload = this.workloads.get(name);
    if (!workload) throw new Error(`the mesh has no workload ${name}`);
    return workload.echo;
  }

  /** Writes a file of YAML without waiting for anything. */
  write(name: string, yaml: string): void {
    const file = path.join(this.configDir, `${name}.yaml`);
    // As editors do it: nobody sees half a file.
    const draft = path.join(this.folder, `${name}.draft`);
    fs.writeFileSync(draft, yaml);
    fs.renameSync(draft, file);
  }

  /** Puts YAML into force: every Envoy has acknowledged it when this returns. What stands there already is left. */
  async apply(name: string, yaml: string): Promise<void> {
    const file = path.join(this.configDir, `${name}.yaml`);
    if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === yaml) return;
    const { revision } = await this.pilot.sync();
    this.write(name, yaml);
    await this.untilSynced(revision);
  }

  /** Removes a file written by `apply`. */
  async remove(name: string): Promise<void> {
    const { revision } = await this.pilot.sync();
    fs.rmSync(path.join(this.configDir, `${name}.yaml`));
    await this.untilSynced(revision);
  }

  /** Envoy acknowledges before its workers have all taken a change over: they get a moment for it. */
  async untilSynced(revision = 0): Promise<void> {
    await this.pilot.untilSynced(
      this.#envoys.filter((envoy) => envoy.process.isRunning).map((envoy) => envoy.name),
      revision,
    );
    await new Promise((resolve) => setTimeout(resolve, 30));
  }

  /** A call by the client's application: through its Envoy's HTTP proxy. @param url `http://reviews:8080/path` */
  async call(url: string, options: RequestOptions = {}): Promise<Reply> {
    const { host } = new URL(url);
    return await request(this.#clientAddress, httpProxyPort, url, {
      ...options,
      headers: { host, ...options.headers },
    });
  }

  /** The loopback address at which the client's Envoy serves a port of a TCP service, one in the whole mesh. */
  async loopbackOf(port: number): Promise<string> {
    interface Listeners {
      readonly listener_statuses: readonly {
        readonly local_address: { readonly socket_address: { readonly address: string; readonly port_value: number } };
      }[];
    }
    const { listener_statuses } = await this.client.adminJson<Listeners>('/listeners?format=json');
    const found = listener_statuses.map((s) => s.local_address.socket_address).filter((a) => a.port_value === port);
    if (found.length !== 1) throw new Error(`${found.length} listeners on port ${port}`);
    return found[0]!.address;
  }

  /** A call from outside through the gateway. @param host the Host header */
  async callGateway(host: string, target: string, options: RequestOptions = {}): Promise<Reply> {
    return await request(this.#gatewayAddress, gatewayPort, target, {
      ...options,
      headers: { host, ...options.headers },
    });
  }

  /** Which workload answered each of `count` calls, counted. Every call must succeed. */
  async split(count: number, url: string, options: RequestOptions = {}): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { status, body } of await many(count, () => this.call(url, options))) {
      if (status !== 200) throw new Error(`${url}: ${status} ${body}`);
      const { workload } = JSON.parse(body) as Seen;
      counts[workload] = (counts[workload] ?? 0) + 1;
    }
    return counts;
  }

  resetUpstreams(): void {
    for (const { echo } of this.workloads.values()) echo.reset();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#envoys.map((envoy) => envoy.kill()));
    await Promise.all([...this.workloads.values()].map(({ echo }) => echo.close()));
    await this.#pilot?.stop();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const yaml: string[] = [];
    const starts: (() => Promise<void>)[] = [];
    for (const workload of this.options.workloads ?? []) starts.push(await this.#prepare(workload, yaml));
    this.#clientAddress = this.#addresses.next();
    yaml.push(podYaml({ name: 'client', address: this.#clientAddress, labels: { app: 'client' }, ports: [] }));
    starts.push(() => this.#startEnvoy('client', this.#clientAddress, { app: 'client' }, new Map()));
    if (this.options.gateway) {
      this.#gatewayAddress = this.#addresses.next();
      const ports = [{ name: 'http2', port: 80, targetPort: gatewayPort }];
      starts.push(this.#prepareGateway('gateway', 'ingress', this.#gatewayAddress, ports, yaml));
    }
    if (this.options.egressGateway) {
      const ports = [
        { name: 'http2', port: 80, targetPort: gatewayPort },
        { name: 'https', port: 443, targetPort: 8443 },
      ];
      starts.push(this.#prepareGateway('egress', 'egress', this.#addresses.next(), ports, yaml));
    }
    const apps = new Set((this.options.workloads ?? []).map((w) => `${w.namespace ?? 'default'}/${appOf(w)}`));
    for (const service of this.options.services ?? []) apps.delete(`${service.namespace ?? 'default'}/${service.name}`);
    for (const key of apps) {
      const [namespace, name] = key.split('/') as [string, string];
      yaml.push(serviceYaml({ name, namespace }));
    }
    yaml.push(...(this.options.services ?? []).map(serviceYaml));
    this.write('mesh', documents(...yaml));
    for (const [name, text] of Object.entries(this.options.config ?? {})) this.write(name, text);
    this.#pilot = await PilotProcess.start(this.configDir, undefined, this.options.pilotArguments);
    await Promise.all(starts.map((start) => start()));
    await this.untilSynced();
  }

  async #prepare(options: WorkloadOptions, yaml: string[]): Promise<() => Promise<void>> {
    const { name, namespace = 'default', sidecar = false } = options;
    const address = this.#addresses.next();
    const labels = { app: appOf(options), version: name.slice(name.lastIndexOf('-') + 1), ...options.labels };
    yaml.push(podYaml({ name, namespace, address, labels }));
    const echo = await EchoServer.listen(name, sidecar ? '127.0.0.1' : address, sidecar ? 0 : 8080);
    this.workloads.set(name, { name, address, echo, envoy: undefined });
    return async () => {
      if (!sidecar) return;
      await this.#startEnvoy(name, address, labels, new Map([[8080, echo.port]]), namespace);
      this.workloads.set(name, { name, address, echo, envoy: this.envoy(name) });
    };
  }

  #prepareGateway(
    name: string,
    direction: 'ingress' | 'egress',
    address: string,
    ports: ServiceYaml['ports'],
    yaml: string[],
  ): () => Promise<void> {
    const service = `istio-${direction}gateway`;
    const labels = { app: service, istio: `${direction}gateway` };
    yaml.push(
      serviceYaml({ name: service, namespace: 'istio-system', ports, selector: labels }),
      podYaml({ name, namespace: 'istio-system', address, labels, ports: [] }),
    );
    return async () => {
      const envoy = await Envoy.start({
        node: {
          type: 'router',
          name,
          namespace: 'istio-system',
          ipAddresses: [address],
          labels,
          interceptionMode: 'NONE',
        },
        xdsPort: this.pilot.ports.xds,
        folder: this.folder,
        variant: this.options.variant,
      });
      this.#envoys.push(envoy);
    };
  }

  async #startEnvoy(
    name: string,
    address: string,
    labels: Readonly<Record<string, string>>,
    appPorts: ReadonlyMap<number, number>,
    namespace = 'default',
  ): Promise<void> {
    const envoy = await Envoy.start({
      node: {
        type: 'sidecar',
        name,
        namespace,
        ipAddresses: [address],
        labels,
        workloadName: name,
        serviceAccount: name,
        interceptionMode: 'NONE',
        httpProxyPort,
        appPorts,
        outboundCidr: `${address.slice(0, -1)}0/24`,
        ...(name === 'client' && { locality: this.options.locality }),
      },
      xdsPort: this.pilot.ports.xds,
      folder: this.folder,
      variant: this.options.variant,
    });
    this.#envoys.push(envoy);
  }
}

function appOf({ name, app }: WorkloadOptions): string {
  return app ?? name.slice(0, name.lastIndexOf('-'));
}
