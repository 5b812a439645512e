import { Controller, Get, Header, Inject } from '@nestjs/common';
import { expositionContentType } from '@seine/telemetry';
import { ADAPTERS } from './mesh.tokens.js';
import type { MixerAdapters } from './adapters.js';

/** What handlers of the adapter `prometheus` count: at a place of its own, as they name their metrics as they like. */
@Controller('metrics')
export class HandlerMetricsController {
  constructor(@Inject(ADAPTERS) private readonly adapters: MixerAdapters) {}

  @Get('handlers')
  @Header('content-type', expositionContentType)
  metrics(): string {
    return this.adapters.exposition.text();
  }
}
