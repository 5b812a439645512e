import { Call, type CallClient, type CallOwner } from './call.js';
import { encodeReset, ErrorCode, Http2Error } from './frames.js';
import type { HeadersFrame } from './header-blocks.js';
import type { FloodGuard } from './limits.js';
import { checkTrailers, parseRequestHead, type RequestHead } from './request-head.js';
import { encodeTrailersOnly, responseHeaders } from './response-headers.js';
import { GrpcStatus } from './status.js';
import type { GrpcStream } from './stream.js';

export interface CallsOptions extends CallClient {
  readonly maxConcurrentStreams: number;
  readonly handler: (path: string) => ((stream: GrpcStream) => void) | undefined;
}

/** The calls of a connection, by the number of their stream. */
export class Calls {
  readonly #calls = new Map<number, Call>();
  #lastStreamId = 0;
  #accepting = true;

  constructor(
    private readonly owner: CallOwner,
    private readonly guard: FloodGuard,
    private readonly options: CallsOptions,
  ) {}

  get size(): number {
    return this.#calls.size;
  }

  /** The highest stream that was taken. */
  get lastStreamId(): number {
    return this.#lastStreamId;
  }

  /** Refuses every new stream from now on. */
  stopAccepting(): void {
    this.#accepting = false;
  }

  /** The call of a stream; undefined when it has ended. Throws when there never was one. */
  find(streamId: number): Call | undefined {
    const isOdd = streamId % 2 === 1;
    // Streams that were refused after the last GOAWAY are not idle, though they do not count.
    if (!isOdd || (this.#accepting && streamId > this.#lastStreamId))
      throw new Http2Error(ErrorCode.PROTOCOL_ERROR, `a frame of stream ${streamId}, which is idle`);
    return this.#calls.get(streamId);
  }

  /** Headers came: of a new call, or the trailers of one. Throws Http2Error. */
  receive(frame: HeadersFrame): void {
    const { streamId } = frame;
    const call = this.#calls.get(streamId);
    if (call) {
      checkTrailers(streamId, frame.headers);
      call.receiveTrailers(frame.endStream);
    } else if (streamId % 2 === 0) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, 'an even stream number');
    // Trailers of a stream that this side has ended already.
    else if (streamId <= this.#lastStreamId) this.guard.idleFrame();
    else if (!this.#accepting) throw new Http2Error(ErrorCode.REFUSED_STREAM, 'going away', streamId);
    else this.#begin(frame);
  }

  /** @returns whether it was still there */
  remove(call: Call): boolean {
    if (!this.#calls.delete(call.id)) return false;
    call.abort();
    return true;
  }

  abortAll(): void {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.abort();
  }

  #begin({ streamId, endStream, headers, oversized }: HeadersFrame): void {
    this.#lastStreamId = streamId;
    if (this.#calls.size >= this.options.maxConcurrentStreams)
      throw new Http2Error(ErrorCode.REFUSED_STREAM, 'too many streams', streamId);
    if (oversized) {
      this.#refuse(streamId, endStream, 431, GrpcStatus.RESOURCE_EXHAUSTED, 'the headers are too large');
      return;
    }
    const head = parseRequestHead(streamId, headers);
    const { method, path, contentType } = head;
    const handler = this.options.handler(path);
    if (method !== 'POST')
      this.#refuse(streamId, endStream, 405, GrpcStatus.UNIMPLEMENTED, 'gRPC takes POST requests only');
    else if (!handler) this.#refuse(streamId, endStream, 200, GrpcStatus.UNIMPLEMENTED, `no method ${path}`);
    else if (!contentType.startsWith('application/grpc'))
      this.#refuse(streamId, endStream, 415, GrpcStatus.UNIMPLEMENTED, `content-type ${contentType} is not gRPC`);
    else this.#open(streamId, head, endStream, handler);
  }

  #open(streamId: number, head: RequestHead, endStream: boolean, handler: (stream: GrpcStream) => void): void {
    const call = new Call(streamId, head, this.owner, this.options);
    this.#calls.set(streamId, call);
    this.owner.out.headers(streamId, responseHeaders, false);
    // The headers may have been one answer too many for a client that does not read.
    if (!call.closed) handler(call);
    if (endStream) call.receive(Buffer.alloc(0), 0, true);
  }

  /** Answers with headers only. */
  #refuse(streamId: number, endStream: boolean, httpStatus: number, code: number, message: string): void {
    this.guard.wastedStream();
    this.owner.out.headers(streamId, encodeTrailersOnly(httpStatus, code, message), true);
    if (!endStream) this.owner.out.answer(encodeReset(streamId, ErrorCode.NO_ERROR));
  }
}
