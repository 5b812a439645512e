import {
  type DynamicModule,
  Inject,
  Injectable,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { FileWatcher } from '@seine/identity';
import { HealthChecks, HealthModule, METRICS, MetricsModule } from '@seine/nest';
import type { AdapterKind } from '@seine/mixer';
import type { AdapterRim } from '@seine/mixer-adapters';
import type { Store } from '@seine/ports';
import type { Counters } from '@seine/rate-limit';
import type { RedisOptions } from '@seine/redis';
import type { Registry } from 'prom-client';
import { MeshMetricsController } from './access-log/mesh-metrics.controller.js';
import { MeshTelemetry } from './access-log/mesh-telemetry.js';
import { reportSink } from './access-log/report-sink.js';
import { GraphController } from './graph/graph.controller.js';
import { GraphService } from './graph/graph.service.js';
import { makeGraph } from './graph/make-graph.js';
import { MixerMetrics } from './mixer.metrics.js';
import { MixerService, type SecureMixer } from './mixer.service.js';
import { checkPart } from './check/check.part.js';
import { CheckMetrics } from './check/check.metrics.js';
import { type MixerAdapters, mixerAdapters } from './mesh/adapters.js';
import { HandlerMetricsController } from './mesh/handler-metrics.controller.js';
import { makeFollower } from './mesh/make-follower.js';
import { MeshFollower } from './mesh/mesh-follower.js';
import { ADAPTERS } from './mesh/mesh.tokens.js';
import { PolicyController } from './mesh/policy.controller.js';
import type { MixerPart } from './part.js';
import { limitStore } from './rate-limit/limit-store.js';
import { rateLimitPart } from './rate-limit/rate-limit.part.js';
import type { RateLimitOptions } from './rate-limit/rate-limit.service.js';
import { RuleFiles } from './rate-limit/rule-files.js';
import { makeTracesPart, makeTraceStore } from './traces/make-traces.js';
import { TraceStore } from './traces/trace-store.js';
import { TracesController } from './traces/traces.controller.js';

export interface MixerModuleOptions {
  readonly secure?: SecureMixer | undefined;
  readonly plain?: string | undefined;
  readonly rateLimitConfigs?: readonly string[] | undefined;
  readonly shadow?: boolean | undefined;
  /** Where counts are kept that several mixers share; default in `store`. */
  readonly redis?: RedisOptions | undefined;
  /** Counts of another kind; default in this process alone. */
  readonly store?: Counters | undefined;
  /** How many mixers share it; default 1. */
  readonly replicas?: number | undefined;
  readonly rootNamespace?: string | undefined;
  /** The mesh log: mixer's rules, and who is who. Undefined = there is no mesh, so no rules. */
  readonly mesh?: Store | undefined;
  /** What adapters reach the outside by; default this process's own. */
  readonly adapters?: Partial<AdapterRim> | undefined;
  /** Adapters beside the built-in ones. */
  readonly moreAdapters?: readonly AdapterKind[] | undefined;
  /** A file for records that a Telemetry has go to mixer, `-` = standard output; default none. */
  readonly accessLog?: string | undefined;
  /** Metrics of the mesh: how many series each may have, and when one is forgotten that nobody uses, ms. */
  readonly meshMetrics?:
    { readonly maxSeries?: number | undefined; readonly expireMs?: number | undefined } | undefined;
}

const OPTIONS = Symbol('mixer options');

/** Starts and stops mixer with the application. */
@Injectable()
export class MixerLifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(MixerService) private readonly mixer: MixerService,
    @Inject(MeshFollower) private readonly follower: MeshFollower,
    @Inject(HealthChecks) private readonly health: HealthChecks,
    @Inject(OPTIONS) private readonly options: MixerModuleOptions,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { secure } = this.options;
    if (secure) this.health.add('mixer: a certificate in force', () => secure.identity.material !== undefined);
    this.health.add('mixer: the mesh', () => this.follower.ready);
    await this.mixer.listen();
    this.follower.start().catch((error: unknown) => new Logger('mixer').error(error));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.mixer.stop();
    await this.follower.stop();
  }
}

function makeTelemetry(
  { meshMetrics, accessLog }: MixerModuleOptions,
  registry: Registry,
  follower: MeshFollower,
): MeshTelemetry {
  const logger = new Logger('mixer');
  const telemetry = new MeshTelemetry(
    {
      ...meshMetrics,
      directory: () => follower.directory(),
      warn: (message) => logger.warn(message, 'telemetry'),
      onError: (error) => logger.error(error),
      now: () => Date.now(),
    },
    registry,
  );
  telemetry.add(
    'rules',
    reportSink(() => follower.policy(), follower.dispatcher),
  );
  if (accessLog !== undefined) telemetry.writeTo(accessLog);
  return telemetry;
}

function graphOf({ redis }: MixerModuleOptions, registry: Registry, telemetry: MeshTelemetry): GraphService {
  const logger = new Logger('mixer');
  const onProblem = (message: string): void => logger.error(message, 'service graph');
  const onRecovered = (message: string): void => logger.warn(message, 'service graph');
  return makeGraph({ redis, now: () => Date.now(), onProblem, onRecovered }, telemetry, registry);
}

function makeCheckPart(follower: MeshFollower, registry: Registry): MixerPart {
  const logger = new Logger('mixer');
  return checkPart(
    {
      policy: () => follower.policy(),
      directory: () => follower.directory(),
      dispatcher: follower.dispatcher,
      metrics: new CheckMetrics(registry),
      now: () => Date.now(),
    },
    (error) => logger.error(error),
  );
}

function makeMixer(
  options: MixerModuleOptions,
  registry: Registry,
  telemetry: MeshTelemetry,
  more: readonly MixerPart[],
): MixerService {
  const { secure, plain, replicas = 1, shadow = false, rootNamespace = 'istio-system' } = options;
  const logger = new Logger('mixer');
  const now = (): number => Date.now();
  const files = new RuleFiles({
    files: options.rateLimitConfigs ?? [],
    watch: new FileWatcher().watch,
    onProblem: (message) => logger.error(message, 'rate limits'),
  });
  const onError = (error: unknown): void => logger.error(error);
  const store = limitStore(
    {
      redis: options.redis,
      store: options.store,
      replicas,
      onProblem: (message) => logger.error(message, 'rate limits'),
      onRecovered: (message) => logger.warn(message, 'rate limits'),
    },
    registry,
  );
  const rateLimit: RateLimitOptions = {
    counters: store.counters,
    rules: () => files.rules,
    rootNamespace,
    shadow,
    decided: new MixerMetrics(registry).decided,
    now,
  };
  return new MixerService({
    secure,
    plain,
    parts: [rateLimitPart(rateLimit, onError), telemetry.part, ...more, { endpoints: [], close: store.close }],
    now,
  });
}

/** What proxies ask of the control plane while requests are under way. */
@Module({})
export class MixerModule {
  static register(options: MixerModuleOptions): DynamicModule {
    return {
      module: MixerModule,
      imports: [HealthModule, MetricsModule],
      controllers: [
        MeshMetricsController,
        GraphController,
        TracesController,
        PolicyController,
        HandlerMetricsController,
      ],
      providers: [
        { provide: OPTIONS, useValue: options },
        {
          provide: ADAPTERS,
          useFactory: () =>
            mixerAdapters({ rim: options.adapters, more: options.moreAdapters, replicas: options.replicas }),
        },
        {
          provide: MeshFollower,
          useFactory: ({ kinds }: MixerAdapters, registry: Registry) => makeFollower(options.mesh, kinds, registry),
          inject: [ADAPTERS, METRICS],
        },
        {
          provide: MeshTelemetry,
          useFactory: (registry: Registry, follower: MeshFollower) => makeTelemetry(options, registry, follower),
          inject: [METRICS, MeshFollower],
        },
        {
          provide: GraphService,
          useFactory: (registry: Registry, telemetry: MeshTelemetry) => graphOf(options, registry, telemetry),
          inject: [METRICS, MeshTelemetry],
        },
        { provide: TraceStore, useFactory: makeTraceStore, inject: [METRICS] },
        {
          provide: MixerService,
          useFactory: (
            registry: Registry,
            telemetry: MeshTelemetry,
            graph: GraphService,
            traces: TraceStore,
            follower: MeshFollower,
          ) =>
            makeMixer(options, registry, telemetry, [
              { endpoints: [], close: () => graph.stop() },
              makeCheckPart(follower, registry),
              makeTracesPart(traces, registry, (error) => new Logger('mixer').error(error)),
            ]),
          inject: [METRICS, MeshTelemetry, GraphService, TraceStore, MeshFollower],
        },
        MixerLifecycle,
      ],
      exports: [MixerService, MeshFollower],
    };
  }
}
