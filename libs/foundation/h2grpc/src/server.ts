import net, { type AddressInfo, type Server } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';
import { Connection } from './connection.js';
import type { Http2Error } from './frames.js';
import { type ConnectionLimits, defaultConnectionLimits } from './limits.js';
import { socketBuffer } from './outbound.js';
import type { GrpcStream } from './stream.js';

export interface GrpcServerOptions {
  /** Largest message taken from a client, bytes. */
  readonly maxMessageBytes: number;
  /** A PING goes out after this silence, ms … */
  readonly keepaliveMs: number;
  /** … and the connection ends when nothing comes in this time, ms. */
  readonly keepaliveTimeoutMs: number;
  /** Most calls at once on one connection. */
  readonly maxConcurrentStreams: number;
  readonly limits?: Partial<ConnectionLimits>;
  /** A client sent a message over the limit: for metrics. */
  readonly onOversized?: (stream: GrpcStream) => void;
  /** A client broke the protocol or a limit, which ended its stream or its connection: for logs and metrics. */
  readonly onViolation?: (peer: string, error: Http2Error) => void;
  /** A connection could not be taken, for want of file descriptors for instance. The client tries again. */
  readonly onAcceptError?: (error: Error) => void;
}

export type StreamHandler = (stream: GrpcStream) => void;

function addressOf(socket: Duplex): string {
  return socket instanceof net.Socket ? `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}` : '';
}

/**
 * Serves bidirectional gRPC streams of raw messages: HTTP/2 straight on sockets, for the one place where throughput
 * decides (docs/decisions/002).
 */
export class GrpcServer {
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  readonly #handlers = new Map<string, StreamHandler>();
  readonly #limits: ConnectionLimits;

  constructor(private readonly options: GrpcServerOptions) {
    this.#limits = {
      ...defaultConnectionLimits(options.maxMessageBytes, options.maxConcurrentStreams),
      ...options.limits,
    };
    this.#server = net.createServer({ noDelay: true, highWaterMark: socketBuffer }, (socket) => this.accept(socket));
  }

  /** @param path `/package.Service/Method` */
  handle(path: string, handler: StreamHandler): void {
    this.#handlers.set(path, handler);
  }

  /** @returns the port, for a listen on port 0 */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 4096 }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.options.onAcceptError?.(error));
        resolve();
      });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /**
   * Serves one client on a socket, whoever accepted it (or ended TLS on it).
   * @param certificates what the client has shown over TLS, DER, the leaf first; undefined without TLS
   */
  accept(socket: Duplex, certificates?: readonly Buffer[]): void {
    const peer = addressOf(socket);
    const { options } = this;
    const connection: Connection = new Connection(socket, {
      ...options,
      peer,
      certificates,
      limits: this.#limits,
      now: () => performance.now(),
      handler: (path) => this.#handlers.get(path),
      oversized: (stream) => options.onOversized?.(stream),
      violated: (error) => options.onViolation?.(peer, error),
      closed: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Refuses new connections; calls that are open go on, and a connection ends with the last of them. */
  stopAccepting(): void {
    this.#server.close();
    for (const connection of this.#connections) connection.drain();
  }

  /** Ends every connection. */
  close(): void {
    this.#server.close();
    for (const connection of [...this.#connections]) connection.close();
  }
}
