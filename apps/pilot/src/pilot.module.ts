import {
  type DynamicModule,
  Inject,
  Injectable,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Mesh, MeshConfig } from '@seine/model';
import { announceBuild, HealthChecks, HealthModule, METRICS, MetricsModule } from '@seine/nest';
import type { Store } from '@seine/ports';
import type { Registry } from 'prom-client';
import { type JwksSettings, jwksSettings } from './jwks-settings.js';
import { DebugController } from './debug.controller.js';
import { PilotMetrics } from './pilot-metrics.js';
import { PilotService } from './pilot.service.js';
import { RefusalLog } from './refusal-log.js';
import type { SecureXdsOptions } from './secure-xds.js';

export interface PilotModuleOptions {
  readonly store: Store;
  /** Plain-text ADS, `host:port`: nobody proves who they are on it. Undefined = there is none. */
  readonly xds?: string | undefined;
  /** ADS over mutual TLS, for identities of the mesh. Undefined = there is none. */
  readonly secureXds?: SecureXdsOptions | undefined;
  /** Milliseconds over which open streams are closed at the end; default 3000. */
  readonly drainMs?: number;
  /** What holds where the ConfigMap `istio` says nothing else; default Istio's. */
  readonly meshConfig?: MeshConfig;
  /** How keys of those who issue tokens are fetched; default as the environment says. */
  readonly jwks?: JwksSettings | undefined;
}

const OPTIONS = Symbol('pilot options');

/** Starts and stops pilot with the application. */
@Injectable()
export class PilotLifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly pilot: PilotService,
    private readonly health: HealthChecks,
    @Inject(OPTIONS) private readonly options: PilotModuleOptions,
  ) {}

  /** Does not wait for the mesh: until it is in, readiness says so and proxies are told to come back. */
  async onApplicationBootstrap(): Promise<void> {
    this.health.add('mesh', () => this.pilot.ready);
    if (this.options.secureXds)
      this.health.add('a certificate in force', () => this.options.secureXds?.identity.material !== undefined);
    await this.pilot.listen();
    this.pilot.follow().catch((error: unknown) => new Logger('pilot').error(error));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pilot.stop();
  }
}

interface SubsetsSpec {
  readonly subsets?: readonly unknown[];
}

function subsetsOf({ resources }: Mesh): number {
  const rules = resources.get('DestinationRule') ?? [];
  return rules.reduce((sum, { spec }) => sum + ((spec as SubsetsSpec | undefined)?.subsets?.length ?? 0), 0);
}

function makePilot(options: PilotModuleOptions, registry: Registry): PilotService {
  announceBuild(registry, 'pilot');
  const metrics = new PilotMetrics(registry);
  const logger = new Logger('pilot');
  const refusals = new RefusalLog(
    (line) => logger.warn(line, 'authentication'),
    () => performance.now(),
  );
  const pilot = new PilotService({
    store: options.store,
    xds: options.xds,
    secureXds: options.secureXds,
    drainMs: options.drainMs ?? 3000,
    ...(options.meshConfig && { meshConfig: options.meshConfig }),
    jwks: options.jwks ?? jwksSettings({}, process.env),
    keysFetched: (ok) => metrics.keysFetched(ok),
    events: metrics.events((line) => refusals.tell(line)),
    onError: (error) => logger.error(error),
    pushed: ({ mesh, revision }, milliseconds) =>
      metrics.pushed(revision, milliseconds, {
        services: mesh.services.size,
        virtualServices: mesh.resources.get('VirtualService')?.length ?? 0,
        subsets: subsetsOf(mesh),
      }),
  });
  metrics.watchKeys(() => pilot.keySources());
  metrics.watchConflicts(() => pilot.listenerConflicts());
  return pilot;
}

/** ADS from a store's mesh log; with /debug on the application's HTTP port. */
@Module({})
export class PilotModule {
  static register(options: PilotModuleOptions): DynamicModule {
    return {
      module: PilotModule,
      imports: [HealthModule, MetricsModule],
      controllers: [DebugController],
      providers: [
        { provide: OPTIONS, useValue: options },
        { provide: PilotService, useFactory: makePilot, inject: [OPTIONS, METRICS] },
        PilotLifecycle,
      ],
      exports: [PilotService],
    };
  }
}
