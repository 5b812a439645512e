import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { type AdsRequest, type AdsResponse, type AdsVariant, decodeResponse, encodeRequest } from './ads-messages.js';

const prefixBytes = 5;

/**
 * An ADS client on node:http2 that can stop reading its stream while the connection stays healthy and answers PINGs:
 * @grpc/grpc-js reads ahead, so a paused call of it still takes megabytes.
 */
export class StallingClient {
  readonly responses: AdsResponse[] = [];
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  #received = Buffer.alloc(0);
  #closed = false;

  constructor(
    port: number,
    private readonly variant: AdsVariant,
  ) {
    const method = variant === 'delta' ? 'DeltaAggregatedResources' : 'StreamAggregatedResources';
    this.#session = http2.connect(`http://127.0.0.1:${port}`);
    this.#stream = this.#session.request({
      ':method': 'POST',
      ':path': `/envoy.service.discovery.v3.AggregatedDiscoveryService/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    this.#stream.on('data', (data: Buffer) => this.#take(data));
    this.#stream.on('close', () => (this.#closed = true));
    // Being reset is what some tests wait for; `closed` tells.
    this.#stream.on('error', () => (this.#closed = true));
    this.#session.on('error', () => (this.#closed = true));
  }

  get closed(): boolean {
    return this.#closed;
  }

  request(request: AdsRequest): this {
    const bytes = encodeRequest(this.variant, request);
    const prefix = Buffer.alloc(prefixBytes);
    prefix.writeUInt32BE(bytes.length, 1);
    this.#stream.write(Buffer.concat([prefix, bytes]));
    return this;
  }

  /** Accepts a response; state-of-the-world repeats the names. */
  ack({ typeUrl, nonce, version }: AdsResponse, names: readonly string[]): this {
    return this.request({ typeUrl, nonce, version, names: this.variant === 'sotw' ? names : [] });
  }

  pause(): this {
    this.#stream.pause();
    return this;
  }

  resume(): this {
    this.#stream.resume();
    return this;
  }

  close(): void {
    this.#session.destroy();
  }

  #take(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data]);
    while (this.#received.length >= prefixBytes) {
      const end = prefixBytes + this.#received.readUInt32BE(1);
      if (this.#received.length < end) return;
      this.responses.push(decodeResponse(this.variant, this.#received.subarray(prefixBytes, end)));
      this.#received = this.#received.subarray(end);
    }
  }
}
