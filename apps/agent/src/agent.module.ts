import { type DynamicModule, Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { HealthChecks, HealthModule, METRICS, MetricsModule } from '@seine/nest';
import type { Registry } from 'prom-client';
import { AgentMetrics } from './agent.metrics.js';
import { type AgentOptions, AgentService } from './agent.service.js';

/** Tells of readiness, and ends the agent's sockets and timers with its program. */
@Injectable()
export class AgentLifecycle implements OnApplicationShutdown {
  constructor(
    @Inject(AgentService) private readonly agent: AgentService,
    @Inject(HealthChecks) health: HealthChecks,
  ) {
    health.add('agent: a certificate in force for each workload', () => agent.waiting().length === 0);
  }

  onApplicationShutdown(): void {
    this.agent.stop();
  }
}

/** The node's agent: keeps workloads' certificates and serves them to their Envoys. It is started by its program. */
@Module({})
export class AgentModule {
  static register(options: Omit<AgentOptions, 'metrics'>): DynamicModule {
    const makeAgent = (registry: Registry): AgentService =>
      new AgentService({ ...options, metrics: new AgentMetrics(registry) });
    return {
      module: AgentModule,
      imports: [HealthModule, MetricsModule],
      providers: [{ provide: AgentService, useFactory: makeAgent, inject: [METRICS] }, AgentLifecycle],
      exports: [AgentService],
    };
  }
}
