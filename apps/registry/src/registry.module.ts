import { fileURLToPath } from 'node:url';
import {
  type DynamicModule,
  Injectable,
  Inject,
  Logger,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { type GrpcOptions, Transport } from '@nestjs/microservices';
import { configApiLoaderOptions, configApiPackage, configApiProto } from '@seine/api';
import type { MeshConfig } from '@seine/model';
import { RotatingServerCredentials } from '@seine/identity';
import { HealthChecks, HealthModule, METRICS, MetricsModule } from '@seine/nest';
import type { Store } from '@seine/ports';
import type { Registry } from 'prom-client';
import { FileSource } from '@seine/source-file';
import { type Admit, admitted } from './admitted-source.js';
import { type ConfigApiAccess, refuseCall } from './access.js';
import { ConfigController } from './config.controller.js';
import { parseLoopback } from './config.js';
import { ProblemReport } from './problem-report.js';
import { RegistryMetrics } from './registry.metrics.js';
import { RegistryService } from './registry.service.js';
import { StateDirectory } from './state-directory.js';
import { STORE } from './tokens.js';

export interface RegistryModuleOptions {
  readonly store: Store;
  /** Folders (or files) of YAML. */
  readonly configDirs: readonly string[];
  /** Where applied objects are kept; undefined = nowhere. */
  readonly stateDir?: string | undefined;
  /** Forget what was applied before. */
  readonly fresh?: boolean;
  readonly meshConfig?: MeshConfig;
  /** What is done to each object of the folders first; default nothing. */
  readonly admit?: Admit;
}

const START = Symbol('start options');

/** Starts the registry with its program and ends it with it. */
@Injectable()
export class RegistryLifecycle implements OnModuleInit, OnApplicationShutdown {
  #ready = false;

  constructor(
    @Inject(RegistryService) private readonly registry: RegistryService,
    @Inject(START) private readonly options: { readonly fresh: boolean },
    @Inject(HealthChecks) health: HealthChecks,
  ) {
    health.add('registry: first view of all sources', () => this.#ready);
  }

  async onModuleInit(): Promise<void> {
    await this.registry.start(this.options);
    this.#ready = true;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.registry.stop();
  }
}

/** Service discovery and config: files and what is applied, merged into the store, with the config API on top. */
@Module({})
export class RegistryModule {
  static register(options: RegistryModuleOptions): DynamicModule {
    const { store, configDirs, stateDir, fresh, meshConfig, admit = (object) => object } = options;
    const logger = new Logger('registry');
    const problems = new ProblemReport((line, isProblem) => (isProblem ? logger.warn(line) : logger.log(line)));
    const registry = (metrics: RegistryMetrics) =>
      new RegistryService({
        store,
        sources: configDirs.map((path) =>
          admitted(new FileSource({ path, onError: (error) => logger.error(error) }), admit),
        ),
        state: stateDir === undefined ? undefined : new StateDirectory(stateDir),
        ...(meshConfig && { meshConfig }),
        onError: (error) => logger.error(error),
        onUpdate: (update) => problems.take(update),
        onValidated: (isValid) => metrics.validated(isValid),
      });
    return {
      module: RegistryModule,
      imports: [HealthModule, MetricsModule],
      controllers: [ConfigController],
      providers: [
        { provide: STORE, useValue: store },
        { provide: START, useValue: { fresh: fresh ?? false } },
        {
          provide: RegistryService,
          useFactory: (metrics: Registry) => registry(new RegistryMetrics(metrics)),
          inject: [METRICS],
        },
        RegistryLifecycle,
      ],
      exports: [RegistryService],
    };
  }
}

/** Larger than any sensible request, small enough to be held. */
const maxMessageSize = 32 * 1024 * 1024;

/**
 * How a Nest program serves the config API: `app.connectMicroservice(configApiServer('127.0.0.1:15019', access))`. Calls
 * that come before `app.init()` has started the registry wait for that.
 * @param access undefined = plain text, on which nobody shows who they are
 * @throws UsageError for plain text on an address that other machines can reach: whoever connects may change the mesh
 */
export function configApiServer(listen: string, access?: ConfigApiAccess): GrpcOptions {
  return {
    transport: Transport.GRPC,
    options: {
      package: configApiPackage,
      protoPath: fileURLToPath(configApiProto),
      loader: { ...configApiLoaderOptions },
      url: access ? listen : parseLoopback(listen),
      ...(access && { credentials: credentialsFor(access) }),
      maxReceiveMessageLength: maxMessageSize,
      maxSendMessageLength: -1,
    },
  };
}

function credentialsFor(access: ConfigApiAccess): RotatingServerCredentials {
  const logger = new Logger('registry');
  return RotatingServerCredentials.of(access.identity, (path, leaf, peer) => {
    const refused = refuseCall(path, leaf, access, Date.now());
    if (refused) logger.warn(`${peer}: ${refused.reason}`);
    return refused;
  });
}
