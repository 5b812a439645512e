import path from 'node:path';
import { forms, type Of } from '@seine/istio';
import { type AdapterContext, adapterKind, type AdapterKind, type ParamsProblem } from '@seine/mixer';
import { LineFile, type Rotation } from '../files/line-file.js';
import { Shared } from '../files/shared.js';
import type { AdapterRim, TextStream } from '../rim/rim.js';
import { membersWriters } from '../values/json-lines.js';
import { jsonOf, rfc3339 } from '../values/values.js';

const levels = ['INFO', 'WARNING', 'ERROR'] as const;
type Level = (typeof levels)[number];
const streams = ['STDOUT', 'STDERR', 'FILE', 'ROTATED_FILE'] as const;

/** Severities, in whatever case, as Istio's default map has them. */
const severities: Readonly<Record<string, Level>> = {
  informational: 'INFO',
  info: 'INFO',
  warning: 'WARNING',
  warn: 'WARNING',
  error: 'ERROR',
  err: 'ERROR',
  fatal: 'ERROR',
};

const level = (description: string) => forms.choice(levels, description, { numbered: true });

const params = forms.message('Writes lines to mixer’s own output, or to a file.', {
  logStream: { ...forms.choice(streams, 'Where to.', { numbered: true }), default: 'STDOUT' },
  severityLevels: {
    ...forms.mapOf(level('Level.'), 'Levels of log entries, by their severity; beside the usual words.'),
    default: {},
  },
  metricLevel: { ...level('The level of metrics.'), default: 'INFO' },
  outputAsJson: { ...forms.flag('A JSON object a line; else columns.'), default: true },
  outputLevel: { ...level('What is below is left out.'), default: 'INFO' },
  outputPath: { ...forms.text('The file, for FILE and ROTATED_FILE.'), default: '' },
  maxMegabytesBeforeRotation: {
    ...forms.integer('A file larger than it is put aside.', { minimum: 1 }),
    default: 100,
  },
  maxDaysBeforeRotation: {
    ...forms.integer('What was put aside longer ago is deleted; 0 = never.', { minimum: 0 }),
    default: 30,
  },
  maxRotatedFiles: {
    ...forms.integer('Of more files put aside the oldest are deleted; 0 = any number.', { minimum: 0 }),
    default: 1000,
  },
});
type Params = Required<Of<typeof params>>;

const toFile = (stream: string): boolean => stream === 'FILE' || stream === 'ROTATED_FILE';

function problems(given: Of<typeof params>): readonly ParamsProblem[] {
  const { logStream, outputPath } = given as Params;
  if (toFile(logStream) && outputPath === '')
    return [{ path: 'outputPath', message: `logStream ${logStream} needs the path of a file.` }];
  if (!toFile(logStream) && outputPath !== '')
    return [{ path: 'outputPath', message: `logStream ${logStream} takes no path; FILE and ROTATED_FILE do.` }];
  return [];
}

interface Sink {
  readonly write: (text: string) => void;
  readonly close: () => void | Promise<void>;
}

/** So much may wait for whoever reads mixer's output. */
const maxWaiting = 16 * 1024 * 1024;

function streamSink(stream: TextStream, warn: (message: string) => void): Sink {
  let slow = false;
  return {
    write(text) {
      const full = stream.writableLength > maxWaiting;
      if (full && !slow) warn('mixer’s output is not read fast enough; lines are dropped until it is');
      slow = full;
      if (!full) stream.write(text);
    },
    close: () => undefined,
  };
}

const megabyte = 1024 * 1024;
const dayMs = 24 * 60 * 60 * 1000;

function fileSink(files: Shared<LineFile>, given: Params, { now, warn }: AdapterContext): Sink {
  const file = path.resolve(given.outputPath);
  const rotation: Rotation | undefined =
    given.logStream === 'ROTATED_FILE'
      ? {
          maxBytes: given.maxMegabytesBeforeRotation * megabyte,
          maxAgeMs: given.maxDaysBeforeRotation * dayMs,
          maxFiles: given.maxRotatedFiles,
        }
      : undefined;
  const { value, release } = files.use(file, () => new LineFile({ file, rotation, now, onProblem: warn }));
  value.rotation = rotation;
  return { write: (text) => value.write(text), close: release };
}

/** As Mixer wrote them. */
const levelNames: Readonly<Record<Level, string>> = { INFO: 'info', WARNING: 'warn', ERROR: 'error' };

/** Makes a line of a level's name, a time, an instance, and `,"name":value` members. */
type Line = (level: string, time: number, instance: string, members: string) => string;

const jsonLine: Line = (level, time, instance, members) =>
  `{"level":"${level}","time":"${rfc3339(time)}","instance":${JSON.stringify(instance)}${members}}\n`;

const columnLine: Line = (level, time, instance, members) =>
  `${rfc3339(time)}\t${level}\t${instance}\t{${members.slice(1)}}\n`;

/** Log entries and metrics as lines (Istio 1.4's `stdio`). */
export function stdio(rim: AdapterRim): AdapterKind {
  const files = new Shared<LineFile>((file) => file.close());
  return adapterKind<Params>({
    name: 'stdio',
    templates: ['logentry', 'metric'],
    params,
    problems,
    make(given, context) {
      const stream = given.logStream === 'STDERR' ? rim.stderr : rim.stdout;
      const sink = toFile(given.logStream) ? fileSink(files, given, context) : streamSink(stream, context.warn);
      const line = given.outputAsJson ? jsonLine : columnLine;
      const lowest = levels.indexOf(given.outputLevel);
      const levelOf = (severity: string): Level =>
        given.severityLevels[severity] ?? severities[severity.toLowerCase()] ?? 'INFO';
      const variablesOf = membersWriters(context.instances, 'variables');
      const dimensionsOf = membersWriters(context.instances, 'dimensions');

      return {
        logentry(entries) {
          let text = '';
          for (const { instance, severity, timestamp, variables } of entries) {
            const level = levelOf(severity);
            if (levels.indexOf(level) >= lowest)
              text += line(levelNames[level], timestamp, instance, variablesOf(instance)(variables));
          }
          if (text !== '') sink.write(text);
        },
        metric(metrics) {
          if (levels.indexOf(given.metricLevel) < lowest) return;
          const time = context.now();
          let text = '';
          for (const { instance, value, dimensions } of metrics) {
            const amount = JSON.stringify(jsonOf(value, context.instances.get(instance)?.value));
            const members = `,"value":${amount}${dimensionsOf(instance)(dimensions)}`;
            text += line(levelNames[given.metricLevel], time, instance, members);
          }
          if (text !== '') sink.write(text);
        },
        close: sink.close,
      };
    },
  });
}
