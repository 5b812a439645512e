import fs from 'node:fs';
import type { Directory, LogPurpose } from '@seine/mixer';
import { type LabelCut, MeshMetrics, SeriesStore } from '@seine/telemetry';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { MixerPart } from '../part.js';
import { accessLogPart } from './access-log.part.js';
import { AccessLogService, type PurposedSink } from './access-log.service.js';
import type { LogSink } from './log-sink.js';
import { recordLog } from './record-log.js';

export interface MeshTelemetryOptions {
  /** Series of one metric of the mesh; default 10,000. */
  readonly maxSeries?: number | undefined;
  /** A series that nobody used for so long is forgotten, ms; default never. */
  readonly expireMs?: number | undefined;
  readonly directory: () => Directory | undefined;
  readonly warn: (message: string) => void;
  readonly onError: (error: unknown) => void;
  readonly now: () => number;
}

/** One warning of a kind in so long, ms: proxies try again, and each of many may be wrong in the same way. */
const quietMs = 60_000;

/** What proxies log, and what mixer makes of it: Istio's metrics, and whoever else takes records. */
export class MeshTelemetry {
  /** The mesh's metrics. */
  readonly series: SeriesStore;
  readonly service: AccessLogService;
  readonly part: MixerPart;
  readonly #sinks: PurposedSink[] = [];
  readonly #warned = new Map<string, number>();
  readonly #expiry: NodeJS.Timeout | undefined;
  readonly #dropped: () => void;
  #file: fs.WriteStream | undefined;

  constructor(
    private readonly options: MeshTelemetryOptions,
    registry: Registry,
  ) {
    const { maxSeries, expireMs, directory, now, onError } = options;
    this.series = new SeriesStore({ now, onCut: (cut) => this.#onCut(cut) });
    const own = ownMetrics(registry, this);
    this.#dropped = () => own.dropped.inc();
    this.service = new AccessLogService({
      sinks: this.#sinks,
      metrics: new MeshMetrics(this.series, { maxSeries }),
      directory,
      counted: (result, entries) => own.entries.inc({ result }, entries),
      onError: (error) => {
        own.failures.inc();
        this.#warn(
          'sink',
          `a log entry could not be handed on: ${error instanceof Error ? error.message : String(error)}`,
        );
      },
    });
    const part = accessLogPart(
      this.service,
      (peer, reason) => {
        own.refused.inc();
        this.#warn('stream', `the log stream of ${peer} was refused: ${reason}`);
      },
      onError,
    );
    if (expireMs !== undefined)
      this.#expiry = setInterval(() => this.#expire(expireMs), Math.max(1000, expireMs / 4)).unref();
    const close = (): void => {
      clearInterval(this.#expiry);
      this.#file?.end();
    };
    this.part = { ...part, close };
  }

  /** From now on streams that begin tell these, too. */
  add(purpose: LogPurpose, take: LogSink): void {
    this.#sinks.push({ purpose, take });
  }

  /** Writes records as lines of JSON. @param file that they are put behind; `-` = standard output */
  writeTo(file: string): void {
    if (file !== '-') {
      this.#file = fs.createWriteStream(file, { flags: 'a' });
      this.#file.on('error', (error) => this.#warn('file', `the access log cannot be written: ${error.message}`));
    }
    this.add('records', recordLog(this.#file ?? process.stdout, this.#dropped));
  }

  #expire(age: number): void {
    this.series.expire(age);
    this.service.refresh();
  }

  #onCut({ metric, label, values, maxSeries }: LabelCut): void {
    this.options.warn(
      `${metric} has ${maxSeries} series, as many as it may: new values of its label ${label}, which has ${values}, are counted as "other"`,
    );
  }

  #warn(kind: string, message: string): void {
    const { now, warn } = this.options;
    if (now() - (this.#warned.get(kind) ?? -Infinity) < quietMs) return;
    this.#warned.set(kind, now());
    warn(message);
  }
}

/** What mixer counts of its own work. */
function ownMetrics(registry: Registry, telemetry: MeshTelemetry) {
  const registers = [registry];
  new Gauge({
    name: 'mixer_mesh_metric_series',
    help: 'How many series a metric of the mesh has.',
    labelNames: ['metric'],
    registers,
    collect() {
      for (const { name, size } of telemetry.series.families) this.set({ metric: name }, size);
    },
  });
  new Gauge({
    name: 'mixer_mesh_metric_combined',
    help: 'How often combinations of labels came for which a metric of the mesh had no room: they share series.',
    labelNames: ['metric'],
    registers,
    collect() {
      for (const { name, combined } of telemetry.series.families) this.set({ metric: name }, combined);
    },
  });
  return {
    entries: new Counter({
      name: 'mixer_access_log_entries_total',
      help: 'Log entries of proxies; refused: not theirs to tell.',
      labelNames: ['result'],
      registers,
    }),
    refused: new Counter({
      name: 'mixer_access_log_streams_refused_total',
      help: 'Streams of log entries that were ended.',
      registers,
    }),
    dropped: new Counter({
      name: 'mixer_access_log_lines_dropped_total',
      help: 'Lines of the access log for which there was no room, as nobody read them.',
      registers,
    }),
    failures: new Counter({
      name: 'mixer_access_log_sink_failures_total',
      help: 'How often a log entry could not be handed on.',
      registers,
    }),
  };
}
