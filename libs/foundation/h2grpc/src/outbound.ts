import type { Duplex } from 'node:stream';
import { frameCopy, frameSlices } from './data-frames.js';
import {
  defaultMaxFrameSize,
  defaultWindow,
  encodeFrame,
  encodeReset,
  ErrorCode,
  Flag,
  FrameType,
  frameHeaderBytes,
  Http2Error,
  maxWindow,
  writeFrameHeader,
} from './frames.js';
import { messagePrefix, prefixBytes } from './framing.js';
import { emptyTableUpdate } from './response-headers.js';
import { SendQueue } from './send-queue.js';

/** Below this a piece is copied beside its neighbours: cheaper than several entries in the write queue. */
const copyBelow = 16 * 1024;

/** What waits on a socket before a client counts as slow, bytes. */
export const socketBuffer = 64 * 1024;

export interface OutboundEvents {
  /** The client makes the server answer and does not read. */
  readonly unread: () => void;
  /** So many bytes of messages went out. */
  readonly sent: (bytes: number) => void;
}

/** The sending half of one stream. */
export class OutboundStream {
  readonly queue = new SendQueue();
  /** Sent when the queue is empty. */
  ending: Buffer | undefined;
  /** What may be sent by flow control; negative after the peer made its window smaller. */
  window: number;
  /** Whether a message went out. */
  used = false;

  constructor(
    readonly id: number,
    window: number,
    /** All that was written has been handed on, after a write that returned false. */
    readonly drained: () => void,
    /** The end has been sent. */
    readonly ended: () => void,
  ) {
    this.window = window;
  }
}

/** The sending half of a connection: frames, windows, and what has to wait for them. */
export class Outbound {
  #window = defaultWindow;
  #initialWindow = defaultWindow;
  #frameSize = defaultMaxFrameSize;
  #mustEmptyTable = false;
  #unread = 0;
  #closed = false;
  readonly #streams = new Map<number, OutboundStream>();
  readonly #queued = new Set<OutboundStream>();
  readonly #waiting = new Set<OutboundStream>();

  constructor(
    private readonly socket: Duplex,
    private readonly unreadLimit: number,
    private readonly events: OutboundEvents,
  ) {}

  open(id: number, drained: () => void, ended: () => void): OutboundStream {
    const stream = new OutboundStream(id, this.#initialWindow, drained, ended);
    this.#streams.set(id, stream);
    return stream;
  }

  /** Forgets a stream and what it still had to send. */
  discard(stream: OutboundStream): void {
    this.#streams.delete(stream.id);
    this.#queued.delete(stream);
    this.#waiting.delete(stream);
    stream.queue.clear();
    stream.ending = undefined;
  }

  /** Sends something small that the client caused. */
  answer(frame: Buffer): void {
    if (this.#closed) return;
    if (!this.#isFull()) {
      this.socket.write(frame);
      return;
    }
    this.#unread += frame.length;
    if (this.#unread > this.unreadLimit) this.events.unread();
    else this.socket.write(frame);
  }

  /** @param block coded headers, smaller than a frame */
  headers(streamId: number, block: Buffer, endStream: boolean): void {
    this.answer(this.#headersFrame(streamId, block, endStream));
  }

  /** @returns false when something has to wait: `drained` will be called */
  message(stream: OutboundStream, parts: readonly Buffer[], size: number): boolean {
    if (this.#closed) return true;
    const total = prefixBytes + size;
    stream.used = true;
    if (stream.queue.size === 0 && total <= stream.window && total <= this.#window) {
      this.#spend(stream, total);
      if (total <= copyBelow) this.#writeSmall(stream.id, parts, size);
      else this.#writeLarge(stream.id, parts, size);
    } else {
      stream.queue.push([messagePrefix(size), ...parts]);
      this.#queued.add(stream);
      this.#pump();
    }
    if (stream.queue.size === 0 && !this.#isFull()) return true;
    this.#waiting.add(stream);
    return false;
  }

  /** Ends a stream when all before it has been sent. @param reset whether to tell a client that still sends to stop */
  end(stream: OutboundStream, trailers: Buffer, reset: boolean): void {
    const frame = this.#headersFrame(stream.id, trailers, true);
    stream.ending = reset ? Buffer.concat([frame, encodeReset(stream.id, ErrorCode.NO_ERROR)]) : frame;
    this.#waiting.delete(stream);
    if (stream.queue.size === 0) this.#finish(stream);
  }

  /** Bytes that wait on a stream, or on the socket before it. */
  buffered(stream: OutboundStream): number {
    return stream.queue.size + this.socket.writableLength;
  }

  /** A WINDOW_UPDATE came. Throws Http2Error when it makes the window too large. */
  enlarge(streamId: number, increment: number): void {
    const stream = this.#streams.get(streamId);
    if (streamId === 0) this.#window = this.#enlarged(this.#window, increment, 0);
    else if (stream) stream.window = this.#enlarged(stream.window, increment, streamId);
    this.#pump();
    this.#settle();
  }

  /** The peer's SETTINGS_INITIAL_WINDOW_SIZE changes the windows of all its streams (RFC 9113, 6.9.2). */
  setInitialWindow(size: number): void {
    const change = size - this.#initialWindow;
    this.#initialWindow = size;
    for (const stream of this.#streams.values()) stream.window = this.#enlarged(stream.window, change, 0);
    this.#pump();
    this.#settle();
  }

  setFrameSize(size: number): void {
    this.#frameSize = size;
  }

  /** The peer limits its table: it must be told that none is used (RFC 7541, 4.2). */
  emptyTable(): void {
    this.#mustEmptyTable = true;
  }

  /** Nothing more can be sent. */
  close(): void {
    this.#closed = true;
  }

  /** The socket has taken all that was written. */
  socketDrained(): void {
    this.#unread = 0;
    this.#settle();
  }

  #enlarged(window: number, change: number, streamId: number): number {
    const enlarged = window + change;
    if (enlarged > maxWindow) throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, 'a window over 2^31-1', streamId);
    return enlarged;
  }

  #isFull(): boolean {
    // Of TLS sockets Node lets nobody set the mark. Above its own mark a stream says when it has drained.
    return this.socket.writableLength >= Math.max(socketBuffer, this.socket.writableHighWaterMark);
  }

  #spend(stream: OutboundStream, bytes: number): void {
    stream.window -= bytes;
    this.#window -= bytes;
    this.events.sent(bytes);
  }

  #headersFrame(streamId: number, block: Buffer, endStream: boolean): Buffer {
    const whole = this.#mustEmptyTable ? Buffer.concat([emptyTableUpdate, block]) : block;
    this.#mustEmptyTable = false;
    return encodeFrame(FrameType.HEADERS, Flag.END_HEADERS | (endStream ? Flag.END_STREAM : 0), streamId, whole);
  }

  /** One frame, one buffer, one write. */
  #writeSmall(streamId: number, parts: readonly Buffer[], size: number): void {
    const out = Buffer.allocUnsafe(frameHeaderBytes + prefixBytes + size);
    let at = writeFrameHeader(out, 0, prefixBytes + size, FrameType.DATA, 0, streamId);
    out[at] = 0;
    at = out.writeUInt32BE(size, at + 1);
    for (const part of parts) at += part.copy(out, at);
    this.socket.write(out);
  }

  /** Large parts as they are, what is small between them copied together. */
  #writeLarge(streamId: number, parts: readonly Buffer[], size: number): void {
    let run: Buffer[] = [messagePrefix(size)];
    let runSize = prefixBytes;
    const endRun = () => {
      if (runSize > 0) this.socket.write(frameCopy(streamId, run, runSize, this.#frameSize));
      run = [];
      runSize = 0;
    };
    this.socket.cork();
    for (const part of parts) {
      if (part.length < copyBelow) {
        run.push(part);
        runSize += part.length;
      } else {
        endRun();
        for (const piece of frameSlices(streamId, part, this.#frameSize)) this.socket.write(piece);
      }
    }
    endRun();
    this.socket.uncork();
  }

  /** Sends what the windows allow, a frame of each stream by turns. */
  #pump(): void {
    if (this.#queued.size === 0 || this.#window <= 0) return;
    this.socket.cork();
    let isMoving = true;
    while (isMoving) {
      isMoving = false;
      for (const stream of this.#queued) isMoving = this.#sendFrame(stream) || isMoving;
    }
    this.socket.uncork();
  }

  #sendFrame(stream: OutboundStream): boolean {
    const size = Math.min(stream.queue.size, stream.window, this.#window, this.#frameSize);
    if (size <= 0) return false;
    this.#spend(stream, size);
    const pieces = stream.queue.take(size);
    if (size < copyBelow) this.socket.write(frameCopy(stream.id, pieces, size, size));
    else {
      const header = Buffer.allocUnsafe(frameHeaderBytes);
      writeFrameHeader(header, 0, size, FrameType.DATA, 0, stream.id);
      this.socket.write(header);
      for (const piece of pieces) this.socket.write(piece);
    }
    if (stream.queue.size === 0) {
      this.#queued.delete(stream);
      if (stream.ending) this.#finish(stream);
    }
    return true;
  }

  #finish(stream: OutboundStream): void {
    if (!stream.ending) return;
    const { ending } = stream;
    this.discard(stream);
    this.answer(ending);
    stream.ended();
  }

  /** Tells those that waited and have nothing left to send. */
  #settle(): void {
    for (const stream of [...this.#waiting]) {
      if (this.#isFull()) return;
      if (stream.queue.size > 0 || !this.#waiting.delete(stream)) continue;
      stream.drained();
    }
  }
}
