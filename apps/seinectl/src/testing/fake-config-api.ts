import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import type {
  ApplyRequest,
  ApplyResponse,
  DeleteRequest,
  DeleteResponse,
  GetRequest,
  GetResponse,
  ListDiagnosticsResponse,
  ListRequest,
  ListResponse,
} from '@seine/api';
import { configServiceDefinition } from '../client/grpc-calls.js';

/** What the fake answers; a method that is left out fails as unimplemented. */
export interface Answers {
  readonly Apply?: (request: ApplyRequest) => ApplyResponse;
  readonly Delete?: (request: DeleteRequest) => DeleteResponse;
  readonly Get?: (request: GetRequest) => GetResponse;
  readonly List?: (request: ListRequest) => ListResponse;
  readonly ListDiagnostics?: () => ListDiagnosticsResponse;
}

/** A config API on a free loopback port, over real gRPC. */
export class FakeConfigApi {
  private readonly server = new Server();

  constructor(answers: Answers) {
    const handlers = Object.entries(answers).map(([name, answer]) => [
      name,
      (call: ServerUnaryCall<never, object>, respond: sendUnaryData<object>) =>
        respond(null, (answer as (request: never) => object)(call.request)),
    ]);
    const implementation = Object.fromEntries(handlers) as Record<string, () => void>;
    this.server.addService(configServiceDefinition(), implementation);
  }

  /** @returns `127.0.0.1:PORT` */
  async start(credentials = ServerCredentials.createInsecure()): Promise<string> {
    const port = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    return `127.0.0.1:${port}`;
  }

  stop(): void {
    this.server.forceShutdown();
  }
}
