import { type DynamicModule, Module } from '@nestjs/common';
import { METRICS, MetricsModule } from '@seine/nest';
import type { Registry } from 'prom-client';
import { fetchText } from './fetch-text.js';
import { MergedMetricsController } from './merged-metrics.controller.js';
import { MergedMetrics, type MetricsTarget } from './merged-metrics.service.js';

/** GET /stats/prometheus: Istio's metrics of the node's workloads; /stats/prometheus/NAMESPACE/NAME: all of one. */
@Module({})
export class MergedMetricsModule {
  static register(targets: () => readonly MetricsTarget[]): DynamicModule {
    const makeMetrics = (registry: Registry): MergedMetrics => new MergedMetrics(targets, fetchText, registry);
    return {
      module: MergedMetricsModule,
      imports: [MetricsModule],
      controllers: [MergedMetricsController],
      providers: [{ provide: MergedMetrics, useFactory: makeMetrics, inject: [METRICS] }],
    };
  }
}
