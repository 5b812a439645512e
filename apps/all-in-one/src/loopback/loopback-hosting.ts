import { envoyProcess } from '@seine/envoy-process';
import type { ConfigObject } from '@seine/k8s';
import type { Hosting, OpenOptions, Places } from '../hosting.js';
import { pilotId } from '../identity/laptop-identity.js';
import { ingressPort, probedPorts } from '../plan/ports.js';
import type { Plan, PlannedWorkload } from '../plan/planned-workload.js';
import { sampleApp } from '../sample/sample-app.js';
import { controlPlanePorts } from '../startup/control-plane-ports.js';
import { envoyStart } from '../startup/envoy-bootstrap.js';
import { bootstrapFile, logFile } from '../startup/workload-files.js';
import type { NeededPort } from '../startup/preflight.js';
import { busyPorts, tryListen } from '../startup/try-listen.js';
import { planLoopback } from './plan-loopback.js';

const thisMachine = '127.0.0.1';
/** Some address of 127.0.0.0/8 that only systems with the whole block have. */
const elsewhere = '127.20.1.1';

/** Workloads side by side on loopback addresses: no privileges needed. */
export class LoopbackHosting implements Hosting {
  readonly machine = thisMachine;

  /** @param forced `SEINE_LOOPBACK`: 127.0.0.1 for the layout of systems that have no more */
  constructor(private readonly forced: string | undefined) {}

  async plan(objects: readonly ConfigObject[]): Promise<Plan> {
    const busy = await busyPorts(probedPorts(objects.length));
    const wholeLoopback = this.forced !== thisMachine && (await tryListen(elsewhere, 0)) === 'free';
    return planLoopback(objects, { wholeLoopback, isFree: (port) => !busy.has(port) });
  }

  neededPorts(workloads: readonly PlannedWorkload[]): NeededPort[] {
    return workloads.flatMap((w) => {
      const router = w.type === 'router';
      const who = router ? `gateway ${w.owner}` : `the Envoy of ${w.owner}`;
      const inbound = router ? [ingressPort] : [...w.appPorts.keys()];
      return [...inbound, w.httpProxyPort, w.prometheusPort, w.readyPort]
        .filter((port) => port !== 0)
        .map((port) => ({ host: w.address, port, who }));
    });
  }

  open({ envoy, stateDir, sockets, ...given }: OpenOptions): Promise<Places> {
    return Promise.resolve({
      processes: async (w, sampleProgram) => {
        const admin = { host: thisMachine, port: w.adminPort };
        const surroundings = {
          xds: { ...controlPlanePorts.xds, identity: pilotId(given.mesh.config.trustDomain) },
          admin: { port: w.adminPort },
          statusAddress: w.address,
          agentSocket: sockets.of(w),
        };
        const { bootstrap, ...start } = envoyStart(given, w, surroundings);
        const file = await bootstrapFile(stateDir, w, bootstrap);
        const app = sampleProgram === undefined ? undefined : loopbackApp(w, sampleProgram, stateDir);
        return [
          ...(app ? [app] : []),
          envoyProcess({
            workload: w.owner,
            envoy: envoy.path,
            bootstrapFile: file,
            logFile: logFile(stateDir, w, 'envoy'),
            admin,
            ...start,
          }),
        ];
      },
      close: () => Promise.resolve(),
    });
  }
}

function loopbackApp(w: PlannedWorkload, program: string, stateDir: string) {
  const [port] = w.appPorts.values();
  if (port === undefined) return undefined;
  const proxy = `http://${w.address}:${w.httpProxyPort}`;
  return sampleApp(w, { program, host: thisMachine, port, proxy, logFile: logFile(stateDir, w, 'app') });
}
