import { create, type JsonObject } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import {
  type SubstitutionFormatString,
  SubstitutionFormatStringSchema,
} from '@seine/envoy/envoy/config/core/v3/substitution_format_string_pb.js';
import { FileAccessLogSchema } from '@seine/envoy/envoy/extensions/access_loggers/file/v3/file_pb.js';
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
} from '@seine/envoy/envoy/extensions/access_loggers/stream/v3/stream_pb.js';
import type { MeshConfig } from '@seine/model';
import { asLine, defaultLabels, defaultText, formattersFor } from './formats.js';
import type { Sink } from './sink.js';

/** What a line is: JSON where there are labels (the default ones if empty), else text (Istio's default if empty). */
export interface FileFormat {
  readonly text?: string | undefined;
  readonly labels?: Readonly<Record<string, unknown>> | undefined;
  readonly omitEmptyValues: boolean;
}

/** The format of MeshConfig's accessLogEncoding and accessLogFormat. */
export function meshConfigFormat({ accessLogEncoding, accessLogFormat }: MeshConfig): FileFormat {
  if (accessLogEncoding === 'TEXT') return { text: accessLogFormat, omitEmptyValues: false };
  return { labels: jsonObject(accessLogFormat), omitEmptyValues: false };
}

/** Validation has let through nothing but JSON objects. */
function jsonObject(text: string): Readonly<Record<string, unknown>> {
  return text === '' ? {} : (JSON.parse(text) as Readonly<Record<string, unknown>>);
}

/**
 * A log in a file of the proxy. The standard streams have loggers of their own: opened as a file, `/dev/stdout` fails
 * where it is a socket, as under a Node parent, and Envoy would refuse the listener.
 */
export function emitFileSink(path: string, fileFormat: FileFormat): Sink {
  const accessLogFormat = { case: 'logFormat', value: emitFormat(fileFormat) } as const;
  switch (path) {
    case '/dev/stdout':
      return { name: 'envoy.access_loggers.stdout', typedConfig: toAny(StdoutAccessLogSchema, { accessLogFormat }) };
    case '/dev/stderr':
      return { name: 'envoy.access_loggers.stderr', typedConfig: toAny(StderrAccessLogSchema, { accessLogFormat }) };
    default:
      return { name: 'envoy.access_loggers.file', typedConfig: toAny(FileAccessLogSchema, { path, accessLogFormat }) };
  }
}

function emitFormat({ text, labels, omitEmptyValues }: FileFormat): SubstitutionFormatString {
  if (labels) {
    const fields = (Object.keys(labels).length > 0 ? labels : defaultLabels) as JsonObject;
    return create(SubstitutionFormatStringSchema, {
      format: { case: 'jsonFormat', value: fields },
      jsonFormatOptions: { sortProperties: false },
      formatters: formattersFor(JSON.stringify(fields)),
      omitEmptyValues,
    });
  }
  const inlineString = text ? asLine(text) : defaultText;
  return create(SubstitutionFormatStringSchema, {
    format: { case: 'textFormatSource', value: { specifier: { case: 'inlineString', value: inlineString } } },
    formatters: formattersFor(inlineString),
    omitEmptyValues,
  });
}
