import 'reflect-metadata';
import path from 'node:path';
import { type DynamicModule, type INestApplication, type LoggerService, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AgentService, MergedMetrics, MergedMetricsModule } from '@seine/app-agent';
import { certificateApiServer, CitadelMetrics, CitadelModule, type CitadelService } from '@seine/app-citadel';
import { MeshTelemetry, MixerModule } from '@seine/app-mixer';
import { PilotModule } from '@seine/app-pilot';
import { configApiServer, RegistryModule } from '@seine/app-registry';
import type { RunClient } from '@seine/api';
import type { ServiceIdentity } from '@seine/identity';
import { METRICS } from '@seine/nest';
import { MemoryStore } from '@seine/store-memory';
import { keepClientFiles } from '../identity/client-files.js';
import { LaptopIdentity } from '../identity/laptop-identity.js';
import { openLaptopCitadel, rootCertFile } from '../identity/laptop-citadel.js';
import { labelMutualTls } from '../identity/mutual-tls-label.js';
import type { WorkloadSockets } from '../identity/workload-sockets.js';
import type { PlannedWorkload } from '../plan/planned-workload.js';
import { controlPlanePorts } from './control-plane-ports.js';
import { laptopMeshConfig } from './laptop-mesh-config.js';
import { metricsTarget } from './metrics-target.js';

export interface ControlPlaneOptions {
  readonly configDirs: readonly string[];
  /** Of the whole mesh: what is applied and citadel's root are kept in folders of it. */
  readonly stateDir: string;
  /** Forget what was applied; the root stays, as whoever was given it would know nobody any more. */
  readonly fresh: boolean;
  readonly workloads: readonly PlannedWorkload[];
  readonly sockets: WorkloadSockets;
  readonly trustDomain: string;
  /** Other names of the trust domain. */
  readonly trustDomainAliases: readonly string[] | undefined;
  readonly logger: LoggerService;
}

type MetricsRegistry = ConstructorParameters<typeof CitadelMetrics>[0];

const address = ({ host, port }: { readonly host: string; readonly port: number }): string => `${host}:${port}`;

/** Who signs, whose certificates are kept, and the services that have one themselves. */
interface Identities {
  readonly citadel: CitadelService;
  readonly identity: LaptopIdentity;
  readonly pilot: ServiceIdentity;
  readonly mixer: ServiceIdentity;
  readonly registry: ServiceIdentity;
}

@Module({})
class AllInOneModule {
  static register(options: ControlPlaneOptions, { citadel, identity, pilot, mixer }: Identities): DynamicModule {
    const { configDirs, stateDir, fresh, workloads } = options;
    const store = new MemoryStore();
    const applied = path.join(stateDir, 'applied');
    return {
      module: AllInOneModule,
      imports: [
        CitadelModule.register(citadel),
        RegistryModule.register({ store, configDirs, stateDir: applied, fresh, admit: labelMutualTls(workloads) }),
        // Its Envoys end before it does: no stream is left that would have to be closed gently.
        PilotModule.register({
          store,
          secureXds: { listen: address(controlPlanePorts.xds), identity: pilot, denied: citadel.denials },
          drainMs: 0,
          meshConfig: laptopMeshConfig,
        }),
        // Before mixer: both have metrics of the mesh at one address, and here these are all of them.
        MergedMetricsModule.register(() => workloads.map(metricsTarget)),
        MixerModule.register({ secure: { listen: address(controlPlanePorts.mixer), identity: mixer }, mesh: store }),
        identity.agent(),
      ],
    };
  }
}

export interface ControlPlane {
  /** By what seinectl shows whose it is. */
  readonly client: RunClient;
  close(): Promise<void>;
}

/** The services in this process, over one store in memory; serving when the promise resolves. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { logger, stateDir, workloads, sockets, trustDomain, trustDomainAliases } = options;
  const folder = path.join(stateDir, 'identity');
  const roots = rootCertFile(stateDir);
  const identity = await LaptopIdentity.prepare({
    workloads,
    sockets,
    trustDomain,
    trustDomainAliases,
    folder,
    citadel: address(controlPlanePorts.citadel),
    rootCertFile: roots,
    logger,
  });
  try {
    const authenticators = [identity.authenticator];
    const citadel = await openLaptopCitadel({ stateDir, trustDomain, authenticators, logger });
    const pilot = identity.service('pilot');
    const mixer = identity.service('mixer');
    const registry = identity.service('registry');
    const seinectl = identity.service('seinectl');
    const services = [pilot, mixer, registry, seinectl];
    const app = await startServices(options, { citadel, identity, pilot, mixer, registry });
    for (const service of services) service.start();
    await Promise.all([mixer, registry, seinectl].map((service) => service.whenReady()));
    return {
      client: keepClientFiles(folder, roots, seinectl),
      close: async () => {
        await app.close();
        for (const service of services) service.stop();
        await identity.close();
      },
    };
  } catch (error) {
    await identity.close();
    throw error;
  }
}

async function startServices(options: ControlPlaneOptions, identities: Identities): Promise<INestApplication> {
  const { logger } = options;
  const { citadel, registry } = identities;
  // Without abortOnError Nest would end the process itself, and not say why in a sentence.
  const settings = { logger, abortOnError: false };
  const app = await NestFactory.create(AllInOneModule.register(options, identities), settings);
  const { series } = app.get(MeshTelemetry, { strict: false });
  app.get(MergedMetrics, { strict: false }).add(() => series.write());
  citadel.measure(new CitadelMetrics(app.get<MetricsRegistry>(METRICS, { strict: false })));
  app.connectMicroservice(certificateApiServer(citadel, address(controlPlanePorts.citadel)));
  const access = { identity: registry, denied: citadel.denials };
  app.connectMicroservice(configApiServer(address(controlPlanePorts.configApi), access));
  await app.startAllMicroservices();
  await app.get(AgentService).start();
  await app.listen(controlPlanePorts.pilotAdmin.port, controlPlanePorts.pilotAdmin.host);
  return app;
}
