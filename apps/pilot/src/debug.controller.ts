import { BadRequestException, Controller, Get, NotFoundException, Query } from '@nestjs/common';
import { PilotService } from './pilot.service.js';
import type { SyncReport } from './proxy-sync.js';

/** Longest that a client may wait for proxies, ms. */
const longestWait = 10 * 60_000;

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new BadRequestException(`${name} takes a whole number, not '${text}'`);
  return value;
}

/** `30s`, `500ms`, or milliseconds. */
function waitTime(text: string): number {
  const match = /^(\d+)(ms|s|m)?$/.exec(text);
  if (!match) throw new BadRequestException(`wait takes a time as 30s, not '${text}'`);
  const unit = { ms: 1, s: 1000, m: 60_000 }[match[2] ?? 'ms'] ?? 1;
  return Math.min(Number(match[1]) * unit, longestWait);
}

/** What an operator looks at. Bound to loopback by default: it shows the whole mesh. */
@Controller('debug')
export class DebugController {
  constructor(private readonly pilot: PilotService) {}

  /** Which proxy has accepted what. With `wait` it answers when all have accepted `revision`, or the time is over. */
  @Get('syncz')
  syncz(@Query('revision') revision?: string, @Query('wait') wait?: string): Promise<SyncReport> | SyncReport {
    const wanted = wholeNumber('revision', revision);
    return wait === undefined
      ? this.pilot.sync(wanted)
      : this.pilot.waitForSync(wanted ?? this.pilot.revision, waitTime(wait));
  }

  /** What a connected proxy should have, as JSON with Envoy's field names. */
  @Get('config_dump')
  configDump(@Query('proxyID') proxy?: string): object {
    if (!proxy) throw new BadRequestException('proxyID is required: a node id, or name.namespace');
    const config = this.pilot.configOf(proxy);
    if (!config) throw new NotFoundException(`no proxy ${proxy} is connected`);
    return config;
  }

  /** The WebAssembly modules of WasmPlugins and TrafficExtensions: which are there, and why others are not. */
  @Get('wasm')
  wasm(): object {
    return { modules: this.pilot.wasmModules() };
  }

  /** The keys of those who issue tokens: how old they are, where they come from, and why others are not there. */
  @Get('jwks')
  jwks(): object {
    return { sources: this.pilot.keySources() };
  }

  /** What is wrong with the mesh as it is served now. */
  @Get('diagnostics')
  diagnostics(): object {
    return { diagnostics: this.pilot.diagnostics() };
  }
}
