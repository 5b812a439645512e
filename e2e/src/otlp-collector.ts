import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TestProcess } from './child-process.js';
import { freePort } from './loopback.js';
import { inUserCache } from './user-cache.js';

const run = promisify(execFile);

/** OpenTelemetry's own protocol for Python, and gRPC: somebody else's reading of it. */
const packages = ['opentelemetry-proto==1.45.2', 'grpcio==1.85.1', 'protobuf==7.36.2'] as const;

/** Takes spans and log records on the port given, and prints each as a line of JSON. */
const script = `
import json, sys
from concurrent import futures
import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs, logs_service_pb2_grpc as logs_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces, trace_service_pb2_grpc as traces_grpc

def value(any_value):
    return getattr(any_value, any_value.WhichOneof('value') or 'string_value')

def attributes(pairs):
    return {pair.key: str(value(pair.value)) for pair in pairs}

def tell(**line):
    # In one piece: print writes the end of a line apart, and other threads come between.
    sys.stdout.write(json.dumps(line) + '\\n')
    sys.stdout.flush()

class Traces(traces_grpc.TraceServiceServicer):
    def Export(self, request, context):
        for resource_spans in request.resource_spans:
            service = attributes(resource_spans.resource.attributes).get('service.name', '')
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    tell(signal='trace', service=service, traceId=span.trace_id.hex(), id=span.span_id.hex(),
                         parentId=span.parent_span_id.hex(), kind=span.kind, name=span.name,
                         tags=attributes(span.attributes))
        return traces.ExportTraceServiceResponse()

class Logs(logs_grpc.LogsServiceServicer):
    def Export(self, request, context):
        for resource_logs in request.resource_logs:
            for scope_logs in resource_logs.scope_logs:
                for record in scope_logs.log_records:
                    tell(signal='log', body=str(value(record.body)), attributes=attributes(record.attributes))
        return logs.ExportLogsServiceResponse()

server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
traces_grpc.add_TraceServiceServicer_to_server(Traces(), server)
logs_grpc.add_LogsServiceServicer_to_server(Logs(), server)
server.add_insecure_port(sys.argv[1])
server.start()
tell(signal='ready')
server.wait_for_termination()
`;

/** A span as OpenTelemetry's own code has read it; kinds are its numbers. */
export interface CollectedSpan {
  readonly signal: 'trace';
  readonly service: string;
  readonly traceId: string;
  readonly id: string;
  readonly parentId: string;
  readonly kind: number;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface CollectedLog {
  readonly signal: 'log';
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
}

type Line = CollectedSpan | CollectedLog | { readonly signal: 'ready' };

/** Who takes OpenTelemetry's spans and log records by gRPC, as Jaeger and OpenTelemetry's collector do. */
export class OtlpCollector {
  private constructor(
    readonly port: number,
    private readonly process: TestProcess,
  ) {}

  static async start(): Promise<OtlpCollector> {
    const port = await freePort();
    const env = { ...process.env, PYTHONPATH: await libraries() };
    const child = new TestProcess('otlp collector', 'python3', ['-c', script, `127.0.0.1:${port}`], { env });
    const collector = new OtlpCollector(port, child);
    await child.until(() => collector.#lines().some(({ signal }) => signal === 'ready'), 'ready');
    return collector;
  }

  /** What came last; older lines may be gone. */
  get spans(): readonly CollectedSpan[] {
    return this.#lines().filter((line) => line.signal === 'trace');
  }

  get logs(): readonly CollectedLog[] {
    return this.#lines().filter((line) => line.signal === 'log');
  }

  async stop(): Promise<void> {
    await this.process.stop('SIGKILL');
  }

  #lines(): readonly Line[] {
    return this.process.output
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Line);
  }
}

/** Where they are; installed from PyPI into the user's cache when they are not there yet. */
async function libraries(): Promise<string> {
  return await inUserCache(['otlp-collector', packages.join('_').replaceAll('==', '-')], async (folder) => {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:'];
    await run('python3', [...pip, '--target', folder, ...packages]);
  });
}
