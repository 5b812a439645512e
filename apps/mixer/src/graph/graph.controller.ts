import { BadRequestException, Controller, Get, Query } from '@nestjs/common';
import { parseDuration } from '@seine/istio';
import { coarse, type ServiceGraph } from '@seine/service-graph';
import { GraphService } from './graph.service.js';

const minute = 60_000;

/** Who calls whom, for people and programs. On the admin port, which is loopback's by default: it shows the whole mesh. */
@Controller('graph')
export class GraphController {
  constructor(private readonly graphs: GraphService) {}

  /**
   * @param namespace of at least one end of each edge; default all
   * @param since `5m`, how far it reaches back; default five minutes
   * @param duration `1m`, from there on; default up to now
   */
  @Get()
  graph(
    @Query('namespace') namespace?: string,
    @Query('since') since?: string,
    @Query('duration') duration?: string,
  ): Promise<ServiceGraph> {
    return this.graphs.graph({
      namespace: namespace === '' ? undefined : namespace,
      sinceMs: timeOf('since', since) ?? 5 * minute,
      durationMs: timeOf('duration', duration),
    });
  }
}

function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = parseDuration(text);
  if (value === undefined || value <= 0)
    throw new BadRequestException(`${name} takes a time as 30s, 5m or 1h30m, not '${text.slice(0, 50)}'`);
  if (value > coarse.keepMs)
    throw new BadRequestException(
      `${name}=${text.slice(0, 50)}: the graph is kept for ${coarse.keepMs / 3_600_000} hours`,
    );
  return value;
}
