import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Snapshot } from '@seine/snapshot';
import { type AdsResponse, AdsStream, type AdsVariant, aNode } from '@seine/testing';
import { HoldBack, parseDeltaRequest, parseSotwRequest, type ProxyIdentity, XdsStream } from '@seine/xds-server';

/**
 * A client and the server's end of one ADS stream, joined without a socket: the same bytes, delivered when a test says
 * so. `run` delivers until both are quiet, so nothing depends on time.
 */
export class DirectLink {
  readonly client: AdsStream;
  readonly server: XdsStream;
  readonly #toServer: Buffer[] = [];
  readonly #toClient: Buffer[] = [];
  #deliver: (bytes: Buffer) => void = () => undefined;

  constructor(
    private readonly variant: AdsVariant,
    snapshot: Snapshot,
    proxy: ProxyIdentity = { id: 'client', envoyVersion: '1.40.0' },
    holdBack = new HoldBack(),
  ) {
    const call = {
      on: (event: string, listener: (bytes: Buffer) => void) => {
        if (event === 'data') this.#deliver = listener;
      },
      write: (bytes: Buffer) => this.#toServer.push(bytes),
    };
    this.client = new AdsStream(variant, call as unknown as ClientDuplexStream<Buffer, Buffer>, aNode());
    const outbox = {
      write: (parts: readonly Buffer[]) => {
        this.#toClient.push(Buffer.concat(parts));
        return true;
      },
    };
    this.server = new XdsStream(variant, proxy, outbox, holdBack, () => 0, snapshot);
  }

  /** Delivers everything, and what that calls forth. */
  run(): this {
    for (;;) {
      const request = this.#toServer.shift();
      if (request) {
        this.server.receive(this.variant === 'delta' ? parseDeltaRequest(request) : parseSotwRequest(request));
        continue;
      }
      const response = this.#toClient.shift();
      if (!response) return this;
      this.#deliver(response);
    }
  }

  /** Sets a new goal and delivers. */
  update(snapshot: Snapshot): this {
    this.server.update(snapshot);
    return this.run();
  }

  /** Takes what came and nobody has looked at yet. */
  take(): AdsResponse[] {
    return this.client.inbox.splice(0);
  }
}
