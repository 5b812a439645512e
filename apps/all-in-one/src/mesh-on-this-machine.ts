import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { RunClient } from '@seine/api';
import { type ConfigObject, objectKey, type ObjectKey } from '@seine/k8s';
import { defaultMeshConfig } from '@seine/model';
import { buildMesh } from '@seine/registry';
import { findEnvoy, type FoundEnvoy, type ProcessSpec, SupervisedProcess, Watchdog } from '@seine/envoy-process';
import type { UpOptions } from './arguments.js';
import type { Hosting, OpenOptions } from './hosting.js';
import { InterceptHosting } from './intercept/intercept-hosting.js';
import { LoopbackHosting } from './loopback/loopback-hosting.js';
import { WorkloadSockets } from './identity/workload-sockets.js';
import { ingressPort } from './plan/ports.js';
import type { PlannedWorkload } from './plan/planned-workload.js';
import { renderSummary } from './report/summary.js';
import { TerminalLogger } from './report/terminal-logger.js';
import { gatewayFolder, sampleFiles } from './sample/sample-files.js';
import { type ControlPlaneOptions, startControlPlane } from './startup/control-plane.js';
import { controlPlanePorts, metricsUrl } from './startup/control-plane-ports.js';
import type { StartConfig } from './startup/envoy-bootstrap.js';
import { foldersForRegistry, readObjects } from './startup/mesh-objects.js';
import { checkPorts, PreflightError } from './startup/preflight.js';
import { writeMixerObjects } from './startup/mixer-objects.js';
import { Progress } from './startup/progress.js';
import { removeRunFile, runWorkload, writeRunFile } from './startup/run-file.js';
import { runningMesh } from './startup/running-mesh.js';
import { tryListen } from './startup/try-listen.js';

const upMs = 60_000;

/**
 * The whole mesh on one machine: control plane in this process, and as children an Envoy for each pod, the sample
 * application, and the ingress gateway.
 */
export class MeshOnThisMachine {
  readonly #stops: (() => Promise<unknown>)[] = [];
  readonly #progress = new Progress();
  /** Pods whose application is ours to start. */
  readonly #samplePods = new Set<ObjectKey>();
  readonly #stopping = new AbortController();
  #stopped: Promise<void> | undefined;
  #client: RunClient | undefined;

  readonly #hosting: Hosting;

  constructor(private readonly options: UpOptions) {
    this.#hosting = options.intercept ? new InterceptHosting() : new LoopbackHosting(process.env['SEINE_LOOPBACK']);
  }

  /**
   * Resolves when everything runs.
   * @throws PreflightError, EnvoyNotFoundError, StartError, or what the control plane says
   */
  async start(): Promise<void> {
    const { options } = this;
    const { stateDir } = options;
    await prepareFolders(options);
    const other = await runningMesh(stateDir);
    if (other !== undefined)
      throw new PreflightError(
        `A mesh runs already (process ${other}): end it with npx seinectl down, or give --state DIR.`,
      );

    const folders = this.#folders(await writeMixerObjects(stateDir, this.#hosting.machine));
    if (options.sample) for (const object of readObjects([sampleFiles.mesh])) this.#samplePods.add(objectKey(object));
    const objects = readObjects([...folders.own, ...folders.users]);
    const { workloads, notes } = options.envoy ? await this.#hosting.plan(objects) : { workloads: [], notes: [] };
    for (const note of notes) this.#progress.say(`! ${note}`);
    await checkPorts([...Object.values(controlPlanePorts), ...this.#hosting.neededPorts(workloads)], tryListen);
    const envoy = options.envoy ? await this.#findEnvoy() : undefined;

    const configDirs = await foldersForRegistry(folders, workloads, objects, stateDir);
    const mesh = meshOf(objects);
    const sockets = await WorkloadSockets.create(workloads);
    this.#stops.push(() => sockets.remove());
    const { trustDomain, trustDomainAliases } = mesh.config;
    await this.#startControlPlane({ configDirs, workloads, sockets, trustDomain, trustDomainAliases });
    if (envoy) await this.#startWorkloads({ envoy, workloads, sockets, mesh });
    await this.#report(envoy, workloads);
  }

  /** Ends every child and serves no more; once, however often it is called. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    const problems: unknown[] = [];
    // What cannot be stopped must not keep the rest running.
    for (const stop of this.#stops.reverse()) await stop().catch((error: unknown) => problems.push(error));
    if (problems.length > 0) throw problems[0];
  }

  /** Folders that Seine writes, and those that people do. @param mixer where mixer’s objects are */
  #folders(mixer: string): { readonly own: string[]; readonly users: string[] } {
    const { sample, config } = this.options;
    const users = config ?? (sample ? sampleFiles.config : undefined);
    return {
      own: [gatewayFolder, mixer, ...(sample ? [sampleFiles.mesh] : [])],
      users: users === undefined ? [] : [users],
    };
  }

  async #findEnvoy(): Promise<FoundEnvoy> {
    const { envoyPath, download } = this.options;
    const progress = (line: string): void => this.#progress.say(`• ${line}`);
    return await findEnvoy({ path: envoyPath, download, progress, signal: this.#stopping.signal });
  }

  async #startControlPlane(given: Omit<ControlPlaneOptions, 'stateDir' | 'fresh' | 'logger'>): Promise<void> {
    const { stateDir, fresh } = this.options;
    await this.#progress.step('starting citadel, registry, pilot, mixer and the agent', async () => {
      const logger = new TerminalLogger((line) => this.#progress.say(line));
      const controlPlane = await startControlPlane({ ...given, stateDir, fresh, logger });
      this.#stops.push(() => controlPlane.close());
      this.#client = controlPlane.client;
    });
  }

  async #startWorkloads(given: Pick<OpenOptions, 'envoy' | 'workloads' | 'sockets' | 'mesh'>): Promise<void> {
    const { workloads } = given;
    const { stateDir } = this.options;
    const watchdog = new Watchdog();
    this.#stops.push(() => watchdog.close());
    const notice = (message: string): void => this.#progress.say(`! ${message}`);
    const places = await this.#hosting.open({ ...given, stateDir, notice, watchdog });
    this.#stops.push(() => places.close());
    const specs: ProcessSpec[] = [];
    for (const w of workloads) {
      const program = this.#samplePods.has(objectKey(w.pod)) ? sampleFiles.program : undefined;
      specs.push(...(await places.processes(w, program)));
    }
    const processes = specs.map((spec) => new SupervisedProcess(spec, { watchdog, notice }));
    this.#stops.push(() => Promise.all(processes.map((p) => p.stop())));
    await this.#progress.step(
      `starting ${workloads.length} Envoys and ${specs.length - workloads.length} applications`,
      () => Promise.all(processes.map((p) => p.start(upMs))),
    );
  }

  async #report(envoy: FoundEnvoy | undefined, workloads: readonly PlannedWorkload[]): Promise<void> {
    const { stateDir, sample, config } = this.options;
    const shown = envoy ? workloads : [];
    const urls = {
      ...(envoy && { ingress: `http://127.0.0.1:${ingressPort}` }),
      ...Object.fromEntries(
        Object.entries(controlPlanePorts).map(([name, { scheme, host, port }]) => [
          name,
          `${scheme}://${host}:${port}`,
        ]),
      ),
      ...(envoy && { metrics: metricsUrl }),
    };
    const startedAt = new Date().toISOString();
    this.#stops.push(() => removeRunFile(stateDir, process.pid));
    const client = this.#client;
    await writeRunFile(stateDir, { pid: process.pid, startedAt, urls, workloads: shown.map(runWorkload), client });
    const version = envoy ? `${envoy.version} (${envoy.path})` : 'none: the control plane alone';
    const folder = config ?? (sample ? path.relative(process.cwd(), sampleFiles.config) || '.' : undefined);
    const { seconds } = this.#progress;
    this.#progress.say(
      renderSummary({ workloads: shown, urls, envoy: version, config: folder, sample, stateDir, seconds }),
    );
    this.#progress.say('ready');
  }
}

/** What says how Envoys are started: ProxyConfigs, the mesh config, EnvoyFilters. */
function meshOf(objects: readonly ConfigObject[]): StartConfig {
  return buildMesh(undefined, new Map(objects.map((object) => [objectKey(object), object])), defaultMeshConfig).mesh;
}

/** @throws PreflightError when there is nothing to read, or nowhere to write */
async function prepareFolders({ stateDir, config }: UpOptions): Promise<void> {
  if (config !== undefined && !existsSync(config)) throw new PreflightError(`There is no folder ${config} (--config).`);
  await mkdir(stateDir, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw new PreflightError(`The state cannot be kept in ${stateDir} (--state DIR): ${String(error)}.`);
  });
}
