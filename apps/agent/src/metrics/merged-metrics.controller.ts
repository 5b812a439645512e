import { Controller, Get, Header, Inject, NotFoundException, Param } from '@nestjs/common';
import { expositionContentType } from '@seine/telemetry';
import { MergedMetrics } from './merged-metrics.service.js';

/** What Prometheus scrapes of the workloads here. */
@Controller('stats/prometheus')
export class MergedMetricsController {
  constructor(@Inject(MergedMetrics) private readonly metrics: MergedMetrics) {}

  @Get()
  @Header('content-type', expositionContentType)
  all(): Promise<string> {
    return this.metrics.all();
  }

  @Get(':namespace/:name')
  @Header('content-type', expositionContentType)
  async one(@Param('namespace') namespace: string, @Param('name') name: string): Promise<string> {
    const text = await this.metrics.of(namespace, name);
    if (text === undefined) throw new NotFoundException(`The agent knows no workload ${namespace}/${name}.`);
    return text;
  }
}
