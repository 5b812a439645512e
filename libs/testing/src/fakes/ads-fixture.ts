import type { Node } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { AdsClient } from '../xds-client/ads-client.js';
import type { AdsVariant } from '../xds-client/ads-messages.js';
import type { AdsStream } from '../xds-client/ads-stream.js';
import { EnvoyLikeClient } from '../xds-client/envoy-like-client.js';
import { aNode } from '../xds-resources.js';
import { FakeSnapshotSource } from './fake-snapshot-source.js';

/** What a fixture needs of a server under test. */
export interface AdsServer {
  /** @returns the port in use */
  listen(host: string, port: number): Promise<number>;
  notify(): void;
  close(drainMs: number): Promise<void>;
}

/** A server on a fake source and clients of it; `start` and `stop` go into beforeEach and afterEach. */
export class AdsFixture<Server extends AdsServer = AdsServer> {
  #running: { source: FakeSnapshotSource; server: Server; port: number } | undefined;
  #clients: AdsClient[] = [];

  constructor(private readonly make: (source: FakeSnapshotSource) => Server) {}

  async start(): Promise<void> {
    const source = new FakeSnapshotSource();
    const server = this.make(source);
    source.onChange = () => server.notify();
    this.#running = { source, server, port: await server.listen('127.0.0.1', 0) };
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    this.#clients = [];
    await this.#running?.server.close(0);
    this.#running = undefined;
  }

  get source(): FakeSnapshotSource {
    return this.#now().source;
  }

  get server(): Server {
    return this.#now().server;
  }

  get port(): number {
    return this.#now().port;
  }

  /** A client with a connection of its own. */
  client(): AdsClient {
    const client = new AdsClient(`127.0.0.1:${this.port}`);
    this.#clients.push(client);
    return client;
  }

  /** A stream on a connection of its own. */
  open(variant: AdsVariant, node: Node | undefined = aNode()): AdsStream {
    return this.client().open(variant, node);
  }

  /** A client that behaves as Envoy does, with its first configuration complete. */
  async envoy(variant: AdsVariant, node: Node = aNode()): Promise<EnvoyLikeClient> {
    return new EnvoyLikeClient(this.open(variant, node)).start().untilComplete();
  }

  #now() {
    if (!this.#running) throw new Error('the fixture is not started');
    return this.#running;
  }
}
