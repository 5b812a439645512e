import { encodeWindowUpdate, ErrorCode, Http2Error } from './frames.js';
import { Deframer } from './framing.js';
import type { Outbound, OutboundStream } from './outbound.js';
import type { RequestHead } from './request-head.js';
import { encodeTrailers } from './response-headers.js';
import type { GrpcStream, GrpcStreamEvents } from './stream.js';
import { GrpcStatus } from './status.js';

/** What a call needs of its connection. */
export interface CallOwner {
  readonly out: Outbound;
  readonly maxMessageBytes: number;
  /** Counts bytes of unfinished messages. @returns false when the connection holds too many */
  holds(change: number): boolean;
  resetStream(id: number, code: number): void;
  oversized(call: GrpcStream): void;
  /** Nothing is left to be sent or to be received. */
  ended(call: Call): void;
}

/** Whose calls they are: the client of a connection. */
export interface CallClient {
  /** Its address. */
  readonly peer: string;
  /** What it has shown over TLS, DER, the leaf first; undefined without TLS. */
  readonly certificates: readonly Buffer[] | undefined;
}

/** The window that a client has on each stream, and on the connection, bytes. */
export const receiveWindow = 1 << 20;

/** One call: a stream of HTTP/2 seen as a stream of messages. */
export class Call implements GrpcStream {
  readonly #sending: OutboundStream;
  readonly #deframer: Deframer;
  #events: GrpcStreamEvents | undefined;
  #closed = false;
  #peerEnded = false;
  #window = receiveWindow;
  /** Bytes of an unfinished message, as the owner counts them. */
  #held = 0;

  constructor(
    readonly id: number,
    private readonly head: Pick<RequestHead, 'path' | 'authorization' | 'headers'>,
    private readonly owner: CallOwner,
    private readonly client: CallClient,
  ) {
    this.#deframer = new Deframer(owner.maxMessageBytes, (message) => {
      if (!this.#closed) this.#events?.message(message);
    });
    this.#sending = owner.out.open(
      id,
      () => this.#events?.drain?.(),
      () => owner.ended(this),
    );
  }

  get path(): string {
    return this.head.path;
  }

  get authorization(): string {
    return this.head.authorization;
  }

  header(name: string): string | undefined {
    return this.head.headers.find(([key]) => key === name)?.[1];
  }

  get peer(): string {
    return this.client.peer;
  }

  get certificates(): readonly Buffer[] | undefined {
    return this.client.certificates;
  }

  on(events: GrpcStreamEvents): void {
    this.#events = events;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get buffered(): number {
    return this.owner.out.buffered(this.#sending);
  }

  /** Whether a message went out. */
  get answered(): boolean {
    return this.#sending.used;
  }

  write(parts: readonly Buffer[], size: number): boolean {
    return this.#closed || this.owner.out.message(this.#sending, parts, size);
  }

  end(code: number, message = ''): void {
    if (this.#closed) return;
    this.#finish();
    this.owner.out.end(this.#sending, encodeTrailers(code, message), !this.#peerEnded);
  }

  reset(): void {
    if (this.#closed) return;
    this.owner.resetStream(this.id, ErrorCode.CANCEL);
  }

  /** DATA came. @param flowBytes what it counts for in flow control, padding included. Throws Http2Error */
  receive(data: Buffer, flowBytes: number, isLast: boolean): void {
    if (this.#peerEnded) throw new Http2Error(ErrorCode.STREAM_CLOSED, 'DATA after the end of a stream', this.id);
    this.#window -= flowBytes;
    if (this.#window < 0) throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, 'more DATA than the window', this.id);
    this.#peerEnded = isLast;
    if (!this.#closed) this.#deframe(data);
    if (isLast) this.#halfClose();
    else if (!this.#closed && this.#window < receiveWindow / 2) {
      this.owner.out.answer(encodeWindowUpdate(this.id, receiveWindow - this.#window));
      this.#window = receiveWindow;
    }
  }

  /** The client's trailers came. Throws Http2Error */
  receiveTrailers(isLast: boolean): void {
    if (this.#peerEnded) throw new Http2Error(ErrorCode.STREAM_CLOSED, 'HEADERS after the end of a stream', this.id);
    if (!isLast) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, 'trailers that do not end the stream', this.id);
    this.#peerEnded = true;
    this.#halfClose();
  }

  /** The stream or its connection is gone. */
  abort(): void {
    this.owner.out.discard(this.#sending);
    this.#finish();
  }

  #deframe(data: Buffer): void {
    const problem = this.#deframer.push(data);
    // A handler may have ended the call in the meantime.
    if (this.#closed) return;
    const change = this.#deframer.pending - this.#held;
    this.#held = this.#deframer.pending;
    const isAllowed = this.owner.holds(change);
    if (problem === 'too-large') {
      this.owner.oversized(this);
      this.end(GrpcStatus.RESOURCE_EXHAUSTED, `message larger than the limit of ${this.owner.maxMessageBytes} bytes`);
    } else if (problem) this.end(GrpcStatus.UNIMPLEMENTED, 'compressed messages are not accepted');
    else if (!isAllowed) this.end(GrpcStatus.RESOURCE_EXHAUSTED, 'too many unfinished messages on one connection');
  }

  /** A client that sends no more ends the call, unless the handler has still to answer. */
  #halfClose(): void {
    if (this.#deframer.pending > 0) this.end(GrpcStatus.INTERNAL, 'the stream ended inside a message');
    else if (this.#events?.ended) this.#events.ended();
    else this.end(GrpcStatus.OK);
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.owner.holds(-this.#held);
    this.#held = 0;
    const events = this.#events;
    this.#events = undefined;
    events?.close();
  }
}
