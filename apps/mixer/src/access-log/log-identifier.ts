import type { JsonObject } from '@bufbuild/protobuf';
import { WireReader } from '../check/wire.js';
import { readStruct, type StructValue } from '../check/struct.js';

/** Who sends a stream of log entries, and what its log is called. */
export interface LogIdentifier {
  readonly logName: string;
  readonly node: LogNode;
}

export interface LogNode {
  readonly id: string;
  readonly metadata: JsonObject;
  /** `namespace/name` of its workload; undefined where the id does not say it. */
  readonly workload: string | undefined;
  /** Of Envoy, `1.40.0`; empty where it does not say it. */
  readonly version: string;
}

/** Reads StreamAccessLogsMessage.Identifier. An Envoy names its hundreds of extensions in it, which are passed over. */
export function readIdentifier(reader: WireReader): LogIdentifier {
  const fields = reader.message();
  let logName = '';
  let node: LogNode = { id: '', metadata: {}, workload: undefined, version: '' };
  while (fields.next()) {
    if (fields.field === 1) node = readNode(fields);
    else if (fields.field === 2) logName = fields.text();
  }
  return { logName, node };
}

function readNode(reader: WireReader): LogNode {
  const fields = reader.message();
  let id = '';
  let version = '';
  let metadata: JsonObject = {};
  while (fields.next()) {
    if (fields.field === 1) id = fields.text();
    else if (fields.field === 3) metadata = texts(readStruct(fields.bytes, fields));
    else if (fields.field === 8) version = readVersion(fields);
  }
  return { id, metadata, workload: workloadOf(id), version };
}

/** What is no text is of no interest here. */
function texts(struct: ReadonlyMap<string, StructValue>): JsonObject {
  return Object.fromEntries([...struct].flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])));
}

/** envoy.config.core.v3.BuildVersion. */
function readVersion(reader: WireReader): string {
  const build = reader.message();
  while (build.next()) {
    if (build.field !== 1) continue;
    const semantic = build.message();
    const parts = [0, 0, 0];
    while (semantic.next()) if (semantic.field >= 1 && semantic.field <= 3) parts[semantic.field - 1] = semantic.number;
    return parts.join('.');
  }
  return '';
}

/** `default/reviews-v1` of `sidecar~10.1.0.7~reviews-v1.default~default.svc.cluster.local`. */
function workloadOf(id: string): string | undefined {
  const [, , instance = ''] = id.split('~');
  const dot = instance.lastIndexOf('.');
  return dot > 0 ? `${instance.slice(dot + 1)}/${instance.slice(0, dot)}` : undefined;
}
