import fs from 'node:fs';
import path from 'node:path';
import {
  type handleBidiStreamingCall,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  status,
} from '@grpc/grpc-js';
import {
  DeltaSecretStream,
  type SdsEvents,
  SdsProtocolError,
  secretDiscoveryService,
  type SecretSource,
  SotwSecretStream,
} from '@seine/sds';
import { removeStaleSocket, shortenSocketPath } from './socket-path.js';
import { serveWorkloadApi } from './workload-api.js';

/** What a stream may have, by what it has shown; or why it may have nothing, for the log and for the caller. */
export type Admission = SecretSource | { readonly error: string };

export interface SdsServerOptions {
  /** Absolute. */
  readonly socket: string;
  readonly trustDomain: string;
  readonly admit: (bearer: string | undefined) => Admission;
  readonly events: SdsEvents;
  /** An operator should look at this. */
  readonly onWarning: (message: string) => void;
}

const socketMode = 0o660;
const folderMode = 0o700;
const mostRequestBytes = 256 * 1024;

/** The token, with or without `Bearer `: Envoy's file_based_metadata sends the bare one unless told otherwise. */
function bearerOf(metadata: Metadata): string | undefined {
  const header = metadata.get('authorization')[0];
  return header === undefined ? undefined : String(header).replace(/^Bearer /i, '');
}

interface Stream<Request> {
  receive(request: Request): void;
  isAwaited(name: string): boolean;
  close(): void;
}

interface OpenStream {
  readonly source: SecretSource;
  isAwaited(name: string): boolean;
  end(code: status, details: string): void;
}

/** Serves secrets on one Unix socket. */
export class SdsServer {
  readonly #streams = new Set<OpenStream>();
  #end: () => void = () => undefined;
  readonly #server = new Server({ 'grpc.max_receive_message_length': mostRequestBytes });

  private constructor(private readonly options: SdsServerOptions) {
    this.#server.addService(secretDiscoveryService, {
      StreamSecrets: this.#handle((source, send) => new SotwSecretStream(source, send, options.events)),
      DeltaSecrets: this.#handle((source, send) => new DeltaSecretStream(source, send, options.events)),
    });
    const { trustDomain, admit, onWarning } = options;
    serveWorkloadApi(this.#server, { trustDomain, admit: (metadata) => admit(bearerOf(metadata)), onWarning });
  }

  /** @throws Error when somebody else serves there, or the place cannot be had */
  static async listen(options: SdsServerOptions): Promise<SdsServer> {
    const { socket, onWarning } = options;
    const folder = path.dirname(socket);
    fs.mkdirSync(folder, { recursive: true, mode: folderMode });
    const { mode } = fs.statSync(folder);
    if ((mode & 0o007) !== 0)
      onWarning(`${folder} has mode ${(mode & 0o777).toString(8)}: others can reach the socket; 700 is right`);
    const server = new SdsServer(options);
    await server.#bind(socket);
    fs.chmodSync(socket, socketMode);
    return server;
  }

  async #bind(socket: string): Promise<void> {
    const { bindable, end } = shortenSocketPath(socket);
    this.#end = end;
    try {
      await removeStaleSocket(bindable, socket);
      await new Promise<void>((resolve, reject) => {
        this.#server.bindAsync(`unix:${bindable}`, ServerCredentials.createInsecure(), (error) =>
          error ? reject(error) : resolve(),
        );
      });
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Whether an Envoy was sent this secret and has not answered yet. */
  isAwaited(name: string): boolean {
    return [...this.#streams].some((stream) => stream.isAwaited(name));
  }

  /** Ends the streams of one that is served no longer. */
  dismiss(source: SecretSource): void {
    for (const stream of [...this.#streams])
      if (stream.source === source) stream.end(status.UNAUTHENTICATED, 'the workload is gone');
  }

  close(): void {
    this.#server.forceShutdown();
    this.#end();
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
      const entry: OpenStream = {
        source: admission,
        isAwaited: (name) => stream.isAwaited(name),
        end: (code, details) => {
          stream.close();
          end(call, code, details);
        },
      };
      this.#streams.add(entry);
      for (const event of ['end', 'cancelled', 'close', 'error'])
        call.on(event, () => {
          this.#streams.delete(entry);
          stream.close();
        });
      call.on('end', () => call.end());
    };
  }
}

function end<Request, Response>(call: ServerDuplexStream<Request, Response>, code: status, details: string): void {
  call.emit('error', { code, details });
}
