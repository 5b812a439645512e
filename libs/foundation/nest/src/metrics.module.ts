import { Controller, Get, Header, Inject, Module } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';

/** Injects the program's one metrics registry (prom-client's `Registry`). */
export const METRICS = Symbol('metrics');

@Controller()
export class MetricsController {
  constructor(@Inject(METRICS) private readonly registry: Registry) {}

  @Get('metrics')
  @Header('content-type', Registry.PROMETHEUS_CONTENT_TYPE)
  metrics(): Promise<string> {
    return this.registry.metrics();
  }
}

const registryProvider = {
  provide: METRICS,
  useFactory: (): Registry => {
    const register = new Registry();
    collectDefaultMetrics({ register });
    return register;
  },
};

/** GET /metrics: Prometheus text of the program's own metrics. */
@Module({ controllers: [MetricsController], providers: [registryProvider], exports: [registryProvider] })
export class MetricsModule {}
