import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import {
  type handleBidiStreamingCall,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '@seine/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { DeltaSecretStream, type SdsEvents, SdsProtocolError, type SecretSource, SotwSecretStream } from '@seine/sds';

/** What a stream may have, by what it has shown; or why it may have nothing, for the log and for the caller. */
export type Admission = SecretSource | { readonly error: string };

export interface SdsServerOptions {
  /** Absolute. */
  readonly socket: string;
  readonly admit: (bearer: string | undefined) => Admission;
  readonly events: SdsEvents;
  /** An operator should look at this. */
  readonly onWarning: (message: string) => void;
}

const socketMode = 0o660;
const folderMode = 0o700;
const mostRequestBytes = 256 * 1024;

function method<I extends DescMessage, O extends DescMessage>(name: string, request: I, response: O) {
  return {
    path: `/envoy.service.secret.v3.SecretDiscoveryService/${name}`,
    requestStream: true,
    responseStream: true,
    requestSerialize: (message: MessageShape<I>) => Buffer.from(toBinary(request, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(request, bytes),
    responseSerialize: (message: MessageShape<O>) => Buffer.from(toBinary(response, message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(response, bytes),
  };
}

/** Envoy's secret discovery service, with messages as protobuf-es has them. */
export const secretDiscoveryService = {
  StreamSecrets: method('StreamSecrets', DiscoveryRequestSchema, DiscoveryResponseSchema),
  DeltaSecrets: method('DeltaSecrets', DeltaDiscoveryRequestSchema, DeltaDiscoveryResponseSchema),
} as const satisfies ServiceDefinition;

/** The token, with or without `Bearer `: Envoy's file_based_metadata sends the bare one unless told otherwise. */
function bearerOf(metadata: Metadata): string | undefined {
  const header = metadata.get('authorization')[0];
  return header === undefined ? undefined : String(header).replace(/^Bearer /i, '');
}

interface Stream<Request> {
  receive(request: Request): void;
  close(): void;
}

/** Serves secrets on one Unix socket. */
export class SdsServer {
  readonly #server = new Server({ 'grpc.max_receive_message_length': mostRequestBytes });

  private constructor(private readonly options: SdsServerOptions) {
    this.#server.addService(secretDiscoveryService, {
      StreamSecrets: this.#handle((source, send) => new SotwSecretStream(source, send, options.events)),
      DeltaSecrets: this.#handle((source, send) => new DeltaSecretStream(source, send, options.events)),
    });
  }

  /** @throws Error when somebody else serves there, or the place cannot be had */
  static async listen(options: SdsServerOptions): Promise<SdsServer> {
    const { socket, onWarning } = options;
    const folder = path.dirname(socket);
    fs.mkdirSync(folder, { recursive: true, mode: folderMode });
    const { mode } = fs.statSync(folder);
    if ((mode & 0o077) !== 0)
      onWarning(`${folder} has mode ${(mode & 0o777).toString(8)}: others can reach the socket; 700 is right`);
    await removeStale(socket);
    const server = new SdsServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      );
    });
    fs.chmodSync(socket, socketMode);
    return server;
  }

  close(): void {
    this.#server.forceShutdown();
  }

  #handle<Request, Response>(
    open: (source: SecretSource, send: (response: Response) => void) => Stream<Request>,
  ): handleBidiStreamingCall<Request, Response> {
    return (call) => {
      const admission = this.options.admit(bearerOf(call.metadata));
      if ('error' in admission) {
        this.options.onWarning(`a stream on ${this.options.socket} is refused: ${admission.error}`);
        end(call, status.UNAUTHENTICATED, admission.error);
        return;
      }
      const stream = open(admission, (response) => call.write(response));
      call.on('data', (request: Request) => {
        try {
          stream.receive(request);
        } catch (error) {
          stream.close();
          const isClients = error instanceof SdsProtocolError;
          const message = error instanceof Error ? error.message : String(error);
          this.options.onWarning(`a stream on ${this.options.socket} is ended: ${message}`);
          end(call, isClients ? status.INVALID_ARGUMENT : status.INTERNAL, message);
        }
      });
      for (const event of ['end', 'cancelled', 'close', 'error']) call.on(event, () => stream.close());
      call.on('end', () => call.end());
    };
  }
}

function end<Request, Response>(call: ServerDuplexStream<Request, Response>, code: status, details: string): void {
  call.emit('error', { code, details });
}

/** A socket that nobody serves on is what a killed agent left. */
async function removeStale(socket: string): Promise<void> {
  if (!fs.lstatSync(socket, { throwIfNoEntry: false })?.isSocket()) return;
  const isServed = await new Promise<boolean>((resolve) => {
    const probe = net.connect(socket, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (isServed) throw new Error(`${socket} is served by another program`);
  fs.rmSync(socket, { force: true });
}
