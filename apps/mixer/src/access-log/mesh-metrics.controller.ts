import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { Controller, Get, Inject, Res } from '@nestjs/common';
import { expositionContentType } from '@seine/telemetry';
import { MeshTelemetry } from './mesh-telemetry.js';

/** The mesh's metrics, beside mixer's own at /metrics: they are many, and of others. */
@Controller()
export class MeshMetricsController {
  constructor(@Inject(MeshTelemetry) private readonly telemetry: MeshTelemetry) {}

  /** In parts, between which others run: a scrape of many series holds up no request. */
  @Get('stats/prometheus')
  async metrics(@Res() response: ServerResponse): Promise<void> {
    response.setHeader('content-type', expositionContentType);
    for (const part of this.telemetry.series.write()) {
      if (response.destroyed) return;
      if (!response.write(part)) await drained(response);
      await setImmediate();
    }
    response.end();
  }
}

/** Until it takes more, or nobody reads it. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
