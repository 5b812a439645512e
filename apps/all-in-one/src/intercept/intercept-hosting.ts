import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { envoyProcess, type ProcessSpec } from '@seine/envoy-process';
import { captureAll, captureRules, proxyUid } from '@seine/inject';
import type { ConfigObject } from '@seine/k8s';
import type { Hosting, OpenOptions, Places } from '../hosting.js';
import { pilotId } from '../identity/laptop-identity.js';
import type { Plan, PlannedWorkload } from '../plan/planned-workload.js';
import { ingressPort, probedPorts } from '../plan/ports.js';
import { sampleApp } from '../sample/sample-app.js';
import { controlPlanePorts } from '../startup/control-plane-ports.js';
import type { NeededPort } from '../startup/preflight.js';
import { busyPorts } from '../startup/try-listen.js';
import { envoyStart } from '../startup/envoy-bootstrap.js';
import { bootstrapFile, logFile } from '../startup/workload-files.js';
import { Forward } from './forward.js';
import { cable, inPod, inSwitch, onThisMachine } from './namespace-scripts.js';
import { NetworkNamespace, runOnThisMachine } from './network-namespace.js';
import { network, planIntercept } from './plan-intercept.js';
import { checkRequirements, thisMachine } from './requirements.js';

const thisMachineAddress = '127.0.0.1';
const proxyUser = { uid: proxyUid, gid: proxyUid };

/**
 * Each workload in a network namespace, as in a pod: iptables sends what comes and goes to its Envoy, which runs as a
 * user of its own; mesh names are resolved by Envoy.
 *
 *   127.0.0.1:8080 ─► 10.203.0.10:8080 (gateway) ─► bridge ─► 10.203.0.11:9080 ─iptables─► 15006 ─► application
 *   pilot 127.0.0.1:15012 ◄─ 10.203.0.1:15012 ◄─ every Envoy          127.0.0.1:151xx ─► Envoy's admin (Unix socket)
 */
export class InterceptHosting implements Hosting {
  readonly machine = network.machine;

  async plan(objects: readonly ConfigObject[]): Promise<Plan> {
    await checkRequirements(thisMachine());
    const busy = await busyPorts(probedPorts(objects.length));
    return planIntercept(objects, (port) => !busy.has(port));
  }

  neededPorts(workloads: readonly PlannedWorkload[]): NeededPort[] {
    return workloads.some(({ type }) => type === 'router')
      ? [{ host: thisMachineAddress, port: ingressPort, who: 'the ingress gateway' }]
      : [];
  }

  async open(options: OpenOptions): Promise<Places> {
    const pods = new NamespacePlaces(options);
    try {
      await pods.open();
    } catch (error) {
      await pods.close();
      throw error;
    }
    return pods;
  }
}

class NamespacePlaces implements Places {
  readonly #namespaces = new Map<PlannedWorkload, NetworkNamespace>();
  readonly #forwards: Forward[] = [];
  #switch: NetworkNamespace | undefined;
  /** What Envoy's user may read; the user's own folders need not be open to it. */
  #shared = '';

  constructor(private readonly options: OpenOptions) {}

  async open(): Promise<void> {
    const { workloads, watchdog } = this.options;
    await this.#makeShared();
    this.#switch = await NetworkNamespace.create(watchdog);
    await runOnThisMachine(onThisMachine(this.#switch.pid));
    await this.#switch.run(inSwitch());
    for (const [index, w] of workloads.entries()) await this.#openPod(w, index, this.#switch);
    const { xds, mixer } = controlPlanePorts;
    for (const service of [xds, mixer]) await this.#forward({ host: network.machine, port: service.port }, service);
    const gateway = workloads.find(({ type }) => type === 'router');
    if (gateway)
      await this.#forward(
        { host: thisMachineAddress, port: ingressPort },
        { host: gateway.address, port: gateway.inboundPort },
      );
  }

  async #makeShared(): Promise<void> {
    this.#shared = await mkdtemp(path.join(tmpdir(), 'seine-'));
    await chmod(this.#shared, 0o711);
    await Promise.all([
      writeFile(this.#file('envoy'), ''),
      writeFile(this.#file('iptables.rules'), captureRules({ ...captureAll, family: 'ipv4', dns: true })),
      writeFile(this.#file('nsswitch.conf'), 'hosts: files dns\n'),
    ]);
  }

  #file(name: string): string {
    return path.join(this.#shared, name);
  }

  async #openPod(w: PlannedWorkload, index: number, hub: NetworkNamespace): Promise<void> {
    const pod = await NetworkNamespace.create(this.options.watchdog);
    this.#namespaces.set(w, pod);
    await hub.run(cable(index, pod.pid));
    const resolver = this.#file(`${w.name}.resolv.conf`);
    await writeFile(resolver, resolvConf(w.namespace));
    const files = [
      [this.#file('envoy'), this.options.envoy.path],
      ['/etc/resolv.conf', resolver],
      ['/etc/nsswitch.conf', this.#file('nsswitch.conf')],
    ] as const;
    const rulesFile = this.#file('iptables.rules');
    await pod.run(inPod({ address: w.address, intercept: w.type === 'sidecar', files, rulesFile }));
    await mkdir(this.#file(w.name), { mode: 0o700 });
    await chown(this.#file(w.name), proxyUid, proxyUid);
    await this.options.sockets.give(w, proxyUser);
    await this.#forward({ host: thisMachineAddress, port: w.adminPort }, this.#admin(w));
  }

  #admin(w: PlannedWorkload): { readonly socketPath: string } {
    return { socketPath: path.join(this.#file(w.name), 'admin.sock') };
  }

  async #forward(...ends: Parameters<typeof Forward.open>): Promise<void> {
    this.#forwards.push(await Forward.open(...ends));
  }

  async processes(w: PlannedWorkload, sampleProgram: string | undefined): Promise<readonly ProcessSpec[]> {
    const pod = this.#namespaces.get(w);
    if (!pod) throw new Error(`${w.name} has no namespace`);
    const { stateDir, sockets, mesh } = this.options;
    const identity = pilotId(mesh.config.trustDomain);
    const xds = { host: network.machine, port: controlPlanePorts.xds.port, identity };
    const surroundings = { xds, admin: this.#admin(w), statusAddress: '0.0.0.0', agentSocket: sockets.of(w) };
    const { bootstrap, ...start } = envoyStart(this.options, w, surroundings);
    const envoy = envoyProcess({
      ...start,
      workload: w.owner,
      envoy: this.#file('envoy'),
      bootstrapFile: await bootstrapFile(this.#shared, w, bootstrap),
      logFile: logFile(stateDir, w, 'envoy'),
      admin: this.#admin(w),
      wrapper: pod.enter(proxyUser),
    });
    if (sampleProgram === undefined || w.inboundPort === 0) return [envoy];
    const app = sampleApp(w, {
      program: sampleProgram,
      host: w.address,
      port: w.inboundPort,
      logFile: logFile(stateDir, w, 'app'),
    });
    const [command, ...wrapper] = pod.enter(callingUser());
    return [{ ...app, command, args: [...wrapper, app.command, ...app.args] }, envoy];
  }

  async close(): Promise<void> {
    await Promise.all(this.#forwards.map((forward) => forward.close()));
    await Promise.all([...this.#namespaces.values()].map((namespace) => namespace.close()));
    await this.#switch?.close();
    if (this.#shared !== '') await rm(this.#shared, { recursive: true, force: true });
  }
}

/** Who called sudo: the application needs no more than they have. */
function callingUser(): { readonly uid: number; readonly gid: number } | undefined {
  const [uid, gid] = [Number(process.env['SUDO_UID']), Number(process.env['SUDO_GID'])];
  return Number.isInteger(uid) && Number.isInteger(gid) && uid > 0 ? { uid, gid } : undefined;
}

/** As in a pod of that namespace. No server is at that address: iptables sends the questions to Envoy. */
function resolvConf(namespace: string): string {
  return [
    `nameserver ${network.machine}`,
    `search ${namespace}.svc.cluster.local svc.cluster.local cluster.local`,
    'options ndots:5',
    '',
  ].join('\n');
}
