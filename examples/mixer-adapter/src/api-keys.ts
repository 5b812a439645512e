import { fileURLToPath } from 'node:url';
import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';
import {
  type AdapterCheckRequest,
  type AdapterCheckResponse,
  mixerAdapterLoaderOptions,
  mixerAdapterProto,
  mixerAdapterService,
} from '@seine/api';

interface Params {
  readonly keys?: Readonly<Record<string, string>>;
}

/** Whose an API key is, by the handler's params; other languages do the same with what they make of adapter.proto. */
function check({ handler, instance }: AdapterCheckRequest): Partial<AdapterCheckResponse> {
  const { keys = {} } = JSON.parse(handler.paramsJson) as Params;
  const { apiKey } = JSON.parse(instance.fieldsJson) as { readonly apiKey: string };
  const team = Object.hasOwn(keys, apiKey) ? keys[apiKey] : undefined;
  if (team === undefined) return { code: 16, message: 'no such API key' };
  return { code: 0, validMs: 10_000, output: { team } };
}

/** Serves the adapter. @returns the port, and how to stop */
export async function serve(address: string): Promise<{ readonly port: number; readonly stop: () => void }> {
  const server = new Server();
  const service = loadSync(fileURLToPath(mixerAdapterProto), mixerAdapterLoaderOptions)[mixerAdapterService];
  server.addService(service as ServiceDefinition, {
    Check: (call: ServerUnaryCall<AdapterCheckRequest, object>, done: sendUnaryData<object>) =>
      done(null, check(call.request)),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { port, stop: () => server.forceShutdown() };
}

const [, program, address = '127.0.0.1:9070'] = process.argv;
if (program === fileURLToPath(import.meta.url))
  void serve(address).then(({ port }) => process.stdout.write(`ready on ${port}\n`));
