import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestProcess } from './child-process.js';
import { EchoServer, type Seen } from './echo-server.js';
import { Envoy, type EnvoyOptions } from './envoy.js';
import { many, type Reply, request, type RequestOptions } from './http-request.js';
import { freePort, LoopbackAddresses } from './loopback.js';
import { MeshIdentity } from './mesh-identity.js';
import { gatewayNode, httpProxyPort, type Place, sidecarNode } from './mesh-nodes.js';
import { appOf, type MeshOptions, mutualTlsLabel, type WorkloadOptions } from './mesh-options.js';
import { documents, podYaml, type ServiceYaml, serviceYaml } from './mesh-yaml.js';
import { PilotProcess } from './pilot-process.js';
import { SampleServer } from './sample-server.js';
import type { Svid, SvidOptions } from './spiffe-authority.js';

const gatewayPort = 8080;

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
  readonly #samples: SampleServer[] = [];
  #identity: MeshIdentity | undefined;
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

  /** Citadel, the agent and the root of a mesh that was started with `identity`. */
  get identity(): MeshIdentity {
    if (!this.#identity) throw new Error('the mesh is not started with `identity`');
    return this.#identity;
  }

  get citadel(): TestProcess {
    return this.identity.citadel;
  }

  get agent(): TestProcess {
    return this.identity.agent;
  }

  /** A certificate of any identity, for callers that are no Envoys; see `identity.authority`. */
  async svid(serviceAccount: string, options: Omit<SvidOptions, 'serviceAccount'> = {}): Promise<Svid> {
    return await this.identity.authority.issue({ serviceAccount, ...options });
  }

  /** Starts a pilot on the ports of the last one, which has ended, and waits until every Envoy is back and in step. */
  async restartPilot(): Promise<void> {
    this.#pilot = await PilotProcess.start(this.configDir, this.pilot.ports, this.#pilotArguments());
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
    const running = this.#envoys.filter((envoy) => envoy.process.isRunning);
    await this.pilot.untilSynced(
      running.map((envoy) => envoy.name),
      revision,
    );
    // What waits for its secrets is acknowledged, and not in force yet.
    if (this.#identity) await Promise.all(running.map((envoy) => envoy.untilWarm()));
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
    return await this.client.listenerAddress(port);
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
    await Promise.all(this.#samples.map((sample) => sample.close()));
    await this.#pilot?.stop();
    await this.#identity?.stop();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const { identity } = this.options;
    if (identity) this.#identity = await MeshIdentity.prepare(this.folder, identity === true ? {} : identity);
    const yaml: string[] = [];
    const starts: (() => Promise<void>)[] = [];
    for (const workload of this.options.workloads ?? []) starts.push(await this.#prepare(workload, yaml));
    this.#clientAddress = this.#addresses.next();
    const client = this.#place({ name: 'client', namespace: 'default', address: this.#clientAddress }, 'client');
    const clientLabels = this.#sidecarLabels({ app: 'client' });
    yaml.push(podYaml({ ...client, labels: clientLabels, ports: [] }));
    const { locality } = this.options;
    starts.push(() => this.#launch({ ...sidecarNode(client, clientLabels, new Map()), ...(locality && { locality }) }));
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
    await this.#startIdentity();
    this.#pilot = await this.#startPilot();
    await Promise.all(starts.map((start) => start()));
    await this.untilSynced();
  }

  async #startPilot(): Promise<PilotProcess> {
    const isSecure = this.#identity?.pilotId !== undefined;
    const ports = isSecure ? { xds: 0, secureXds: await freePort(), admin: await freePort() } : undefined;
    return await PilotProcess.start(this.configDir, ports, this.#pilotArguments());
  }

  #pilotArguments(): readonly string[] {
    return [...(this.#identity?.pilotArguments() ?? []), ...(this.options.pilotArguments ?? [])];
  }

  async #startIdentity(): Promise<void> {
    await this.#identity?.startCitadel();
    await this.#identity?.startAgent();
    await this.#identity?.untilCertified();
  }

  /** A pod; where the mesh has identities, with an account, and with an entry at the agent if it has an Envoy. */
  #place(pod: Omit<Place, 'serviceAccount'>, account: string, hasEnvoy = true, scrape?: string): Place {
    const place = { ...pod, serviceAccount: this.#identity ? account : pod.name };
    if (hasEnvoy) this.#identity?.enroll({ ...place, scrape });
    return place;
  }

  #sidecarLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    return this.#identity ? { ...labels, ...mutualTlsLabel } : labels;
  }

  async #prepare(options: WorkloadOptions, yaml: string[]): Promise<() => Promise<void>> {
    const { name, namespace = 'default', sidecar = false, serviceAccount = appOf(options) } = options;
    const address = this.#addresses.next();
    const place = this.#place({ name, namespace, address }, serviceAccount, sidecar, options.scrape);
    const plain = { app: appOf(options), version: name.slice(name.lastIndexOf('-') + 1), ...options.labels };
    const labels = sidecar ? this.#sidecarLabels(plain) : plain;
    yaml.push(podYaml({ ...place, labels }));
    const echo = await EchoServer.listen(name, sidecar ? '127.0.0.1' : address, sidecar ? 0 : 8080);
    this.workloads.set(name, { name, address, echo, envoy: undefined });
    const sample =
      options.sample && (await SampleServer.listen(name, options.sample, `http://${address}:${httpProxyPort}`));
    if (sample) this.#samples.push(sample);
    return async () => {
      if (!sidecar) return;
      await this.#launch(sidecarNode(place, labels, new Map([[8080, sample?.port ?? echo.port]])));
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
    const namespace = 'istio-system';
    const place = this.#place({ name, namespace, address }, `${service}-service-account`);
    yaml.push(
      serviceYaml({ name: service, namespace, ports, selector: labels }),
      podYaml({ ...place, labels, ports: [] }),
    );
    return () => this.#launch(gatewayNode(place, labels));
  }

  async #launch(node: EnvoyOptions['node']): Promise<void> {
    const envoy = await Envoy.start({
      node,
      xdsPort: this.pilot.ports.secureXds ?? this.pilot.ports.xds,
      xdsIdentity: this.#identity?.pilotId,
      folder: this.folder,
      variant: this.options.variant,
      agentSocket: this.#identity?.socketOf(node.name),
      adminPort: this.#identity?.envoyAdminOf(node.name),
    });
    this.#envoys.push(envoy);
  }
}
