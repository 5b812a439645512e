import type { Http2Error } from './frames.js';
import { echoPath, RawClient } from './raw-client.js';
import { GrpcServer, type GrpcServerOptions } from './server.js';
import type { GrpcStream } from './stream.js';

/** A server that echoes messages, and what it saw: for the tests. */
export class EchoFixture {
  readonly streams: GrpcStream[] = [];
  readonly closed: GrpcStream[] = [];
  readonly violations: Http2Error[] = [];
  readonly oversized: string[] = [];
  server!: GrpcServer;
  port = 0;
  readonly #clients: RawClient[] = [];

  async start(options: Partial<GrpcServerOptions> = {}): Promise<void> {
    this.server = new GrpcServer({
      maxMessageBytes: 8 * 1024 * 1024,
      keepaliveMs: 60_000,
      keepaliveTimeoutMs: 60_000,
      maxConcurrentStreams: 100,
      onViolation: (_peer, error) => this.violations.push(error),
      onOversized: (stream) => this.oversized.push(stream.path),
      ...options,
    });
    this.server.handle(echoPath, (stream) => this.#echo(stream));
    this.port = await this.server.listen('127.0.0.1', 0);
  }

  /** A client that has greeted. */
  async client(settings?: ReadonlyMap<number, number>): Promise<RawClient> {
    const client = await this.silentClient();
    return client.greet(settings);
  }

  async silentClient(): Promise<RawClient> {
    const client = await RawClient.connect(this.port);
    this.#clients.push(client);
    return client;
  }

  stop(): void {
    this.server.close();
    for (const client of this.#clients.splice(0)) client.destroy();
    for (const list of [this.streams, this.closed, this.violations, this.oversized]) list.length = 0;
  }

  #echo(stream: GrpcStream): void {
    this.streams.push(stream);
    stream.on({
      message: (message) => stream.write([message], message.length),
      close: () => this.closed.push(stream),
    });
  }
}
