import { BadRequestException, Controller, Get, NotFoundException, Param, Query } from '@nestjs/common';
import { type TraceQuery, TraceStore } from './trace-store.js';
import type { ZipkinSpan } from './zipkin-span.js';

const limits = { default: 10, most: 1000 } as const;

/** Traces by Zipkin's API of version 2, for what reads Zipkin. On the admin port: traces tell what the mesh is asked. */
@Controller('api/v2')
export class TracesController {
  constructor(private readonly store: TraceStore) {}

  /** The spans of one trace. */
  @Get('trace/:id')
  trace(@Param('id') id: string): readonly ZipkinSpan[] {
    const spans = this.store.trace(id);
    if (spans.length === 0) throw new NotFoundException(`no trace ${id.slice(0, 32)} is kept`);
    return spans;
  }

  /** Traces that fit, the newest first: `serviceName`, `spanName`, `annotationQuery`, durations in µs, `endTs` and `lookback` in ms. */
  @Get('traces')
  traces(@Query() query: Readonly<Record<string, unknown>>): readonly (readonly ZipkinSpan[])[] {
    return this.store.find(parseTraceQuery(query));
  }

  @Get('services')
  services(): readonly string[] {
    return this.store.services();
  }

  @Get('spans')
  spans(@Query('serviceName') service?: string): readonly string[] {
    return this.store.spanNames(service ?? '');
  }
}

function parseTraceQuery(query: Readonly<Record<string, unknown>>): TraceQuery {
  const text = (name: string): string | undefined => {
    const value = query[name];
    return typeof value === 'string' && value !== '' && value !== 'all' ? value : undefined;
  };
  const number = (name: string): number | undefined => {
    const value = text(name);
    if (value !== undefined && !/^\d{1,16}$/.test(value))
      throw new BadRequestException(`${name} takes a whole number, not '${value.slice(0, 50)}'`);
    return value === undefined ? undefined : Number(value);
  };
  const to = number('endTs');
  const lookback = number('lookback');
  return {
    serviceName: text('serviceName'),
    spanName: text('spanName'),
    tags: text('annotationQuery')
      ?.split(' and ')
      .map((part) => {
        const [key = '', ...value] = part.trim().split('=');
        return { key, value: value.length === 0 ? undefined : value.join('=') };
      }),
    minDuration: number('minDuration'),
    maxDuration: number('maxDuration'),
    to,
    from: lookback === undefined ? undefined : (to ?? Date.now()) - lookback,
    limit: Math.min(number('limit') ?? limits.default, limits.most),
  };
}
