import type { Duplex } from 'node:stream';
import { type Call, type CallOwner, receiveWindow } from './call.js';
import { Calls, type CallsOptions } from './calls.js';
import { FrameReader } from './frame-reader.js';
import * as frames from './frames.js';
import { ErrorCode, Flag, FrameType, Http2Error, Setting, unpad } from './frames.js';
import { checkFrame } from './frame-rules.js';
import { HeaderBlocks, type HeadersFrame } from './header-blocks.js';
import { Keepalive } from './keepalive.js';
import { type ConnectionLimits, FloodGuard } from './limits.js';
import { Outbound } from './outbound.js';
import { parseSettings } from './peer-settings.js';
import type { GrpcStream } from './stream.js';

export interface ConnectionOptions extends CallsOptions {
  readonly maxMessageBytes: number;
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  readonly limits: ConnectionLimits;
  /** Milliseconds, steady. */
  readonly now: () => number;
  readonly oversized: (stream: GrpcStream) => void;
  /** The peer broke the protocol or a limit. */
  readonly violated: (error: Http2Error) => void;
  readonly closed: () => void;
}

/** How long a peer may take to read why its connection ends, ms. */
const lingerMs = 1000;
const drainPing = Buffer.from('draining');

/** One client's HTTP/2 connection (RFC 9113), the server's side. */
export class Connection implements CallOwner {
  readonly out: Outbound;
  readonly maxMessageBytes: number;
  readonly #calls: Calls;
  readonly #reader = new FrameReader(frames.defaultMaxFrameSize, (...frame) => this.#frame(...frame));
  readonly #blocks: HeaderBlocks;
  readonly #keepalive: Keepalive;
  readonly #guard: FloodGuard;
  #hasSettings = false;
  #window = receiveWindow;
  #held = 0;
  /** No more calls: a first GOAWAY is out, or also the second one, which names the last stream. */
  #draining: 'no' | 'announced' | 'final' = 'no';
  #closed = false;

  constructor(
    private readonly socket: Duplex,
    private readonly options: ConnectionOptions,
  ) {
    const { limits } = options;
    this.maxMessageBytes = options.maxMessageBytes;
    this.#guard = new FloodGuard(limits, options.now);
    this.#blocks = new HeaderBlocks(limits.headerListBytes, limits.headerFrames);
    this.out = new Outbound(socket, limits.unreadAnswerBytes, {
      unread: () => this.#fail(new Http2Error(ErrorCode.ENHANCE_YOUR_CALM, 'answers are not read')),
      sent: (bytes) => this.#guard.sent(bytes),
    });
    this.#calls = new Calls(this, this.#guard, options);
    this.#keepalive = new Keepalive(
      { ...options, handshakeMs: limits.handshakeMs },
      () => this.out.answer(frames.encodePing(Buffer.alloc(8), false)),
      () => this.#lose(),
    );
    socket.on('data', this.#receive);
    socket.on('drain', () => this.out.socketDrained());
    // The reason is the network's or the peer's own; `close` follows and does the cleaning.
    socket.on('error', () => this.#lose());
    socket.on('close', () => this.#lose());
    socket.on('end', () => this.#lose());
    socket.write(this.#greeting());
  }

  /** Lets the open calls go on and asks the client to begin no new ones here. */
  drain(): void {
    if (this.#draining !== 'no' || this.#closed) return;
    this.#draining = 'announced';
    // Calls that are on their way are still served; the answer to the PING says that there are no more (RFC 9113, 6.8).
    this.out.answer(frames.encodeGoaway(frames.maxWindow, ErrorCode.NO_ERROR));
    this.out.answer(frames.encodePing(drainPing, false));
  }

  /** Ends the connection and its calls. What was written to it before is still sent to a client that reads. */
  close(): void {
    this.#end(ErrorCode.NO_ERROR, '');
  }

  holds(change: number): boolean {
    this.#held += change;
    return this.#held <= this.options.limits.pendingBytes;
  }

  resetStream(id: number, code: number): void {
    this.out.answer(frames.encodeReset(id, code));
    const call = this.#calls.find(id);
    if (call) this.#remove(call);
  }

  oversized(call: GrpcStream): void {
    this.options.oversized(call);
  }

  ended(call: Call): void {
    this.#remove(call);
  }

  #greeting(): Buffer {
    const settings = frames.encodeSettings(
      new Map<number, number>([
        [Setting.MAX_CONCURRENT_STREAMS, this.options.maxConcurrentStreams],
        [Setting.INITIAL_WINDOW_SIZE, receiveWindow],
        [Setting.MAX_HEADER_LIST_SIZE, this.options.limits.headerListBytes],
      ]),
    );
    return Buffer.concat([settings, frames.encodeWindowUpdate(0, receiveWindow - frames.defaultWindow)]);
  }

  readonly #receive = (chunk: Buffer): void => {
    this.#keepalive.alive();
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      this.#fail(error);
    }
  };

  #frame(type: number, flags: number, streamId: number, payload: Buffer): void {
    try {
      this.#dispatch(type, flags, streamId, payload);
    } catch (error) {
      if (!(error instanceof Http2Error) || error.streamId === 0) throw error;
      this.#failStream(error);
    }
  }

  #dispatch(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (!this.#hasSettings && (type !== FrameType.SETTINGS || flags & Flag.ACK))
      throw new Http2Error(ErrorCode.PROTOCOL_ERROR, 'the first frame is not SETTINGS');
    if (this.#blocks.isOpen && type !== FrameType.CONTINUATION)
      throw new Http2Error(ErrorCode.PROTOCOL_ERROR, 'a frame inside a header block');
    checkFrame(type, streamId, payload.length);
    switch (type) {
      case FrameType.DATA:
        this.#data(flags, streamId, payload);
        break;
      case FrameType.HEADERS:
      case FrameType.CONTINUATION:
        this.#headers(this.#blocks.push(type, flags, streamId, payload));
        break;
      case FrameType.RST_STREAM:
        this.#reset(streamId);
        break;
      case FrameType.SETTINGS:
        this.#settings(flags, payload);
        break;
      case FrameType.PING:
        this.#ping(flags, payload);
        break;
      case FrameType.WINDOW_UPDATE:
        this.#windowUpdate(streamId, payload.readUInt32BE(0) & frames.maxWindow);
        break;
      case FrameType.PUSH_PROMISE:
        throw new Http2Error(ErrorCode.PROTOCOL_ERROR, 'PUSH_PROMISE of a client');
      default:
        // PRIORITY and what is not known is ignored (RFC 9113, 4.1 and 5.3.2). A client that says GOAWAY opens no more
        // streams, and closes the connection when it has no more use for it.
        this.#guard.idleFrame();
    }
  }

  #data(flags: number, streamId: number, payload: Buffer): void {
    const call = this.#calls.find(streamId);
    this.#window -= payload.length;
    if (this.#window < 0) throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, 'more DATA than the window');
    if (this.#window < receiveWindow / 2) {
      this.out.answer(frames.encodeWindowUpdate(0, receiveWindow - this.#window));
      this.#window = receiveWindow;
    }
    const data = unpad(payload, flags);
    const isLast = (flags & Flag.END_STREAM) !== 0;
    if (data.length === 0 && !isLast) this.#guard.idleFrame();
    call?.receive(data, payload.length, isLast);
  }

  #headers(complete: HeadersFrame | undefined): void {
    if (complete) this.#calls.receive(complete);
  }

  #reset(streamId: number): void {
    const call = this.#calls.find(streamId);
    if (!call || call.answered) this.#guard.idleFrame();
    else this.#guard.wastedStream();
    if (call) this.#remove(call);
  }

  #settings(flags: number, payload: Buffer): void {
    if (flags & Flag.ACK) {
      if (payload.length > 0) throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, 'an acknowledgement with settings');
      this.#guard.idleFrame();
      return;
    }
    this.#guard.idleFrame(1 + payload.length / 6);
    const { initialWindow, frameSize, headerTable } = parseSettings(payload);
    if (frameSize !== undefined) this.out.setFrameSize(frameSize);
    if (headerTable !== undefined && headerTable < 4096) this.out.emptyTable();
    this.out.answer(frames.settingsAck);
    if (initialWindow !== undefined) this.out.setInitialWindow(initialWindow);
    this.#hasSettings = true;
    this.#keepalive.established();
  }

  #ping(flags: number, payload: Buffer): void {
    this.#guard.idleFrame();
    if (!(flags & Flag.ACK)) this.out.answer(frames.encodePing(payload, true));
    else if (this.#draining === 'announced' && payload.equals(drainPing)) {
      this.#draining = 'final';
      this.#calls.stopAccepting();
      this.out.answer(frames.encodeGoaway(this.#calls.lastStreamId, ErrorCode.NO_ERROR));
      this.#closeWhenDone();
    }
  }

  #windowUpdate(streamId: number, increment: number): void {
    this.#guard.idleFrame();
    if (streamId > 0) this.#calls.find(streamId);
    if (increment === 0) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, 'a WINDOW_UPDATE of nothing', streamId);
    this.out.enlarge(streamId, increment);
  }

  #remove(call: Call): void {
    if (this.#calls.remove(call)) this.#closeWhenDone();
  }

  #closeWhenDone(): void {
    if (this.#draining === 'final' && this.#calls.size === 0) this.close();
  }

  /** The peer broke a rule on one stream: that stream ends, and it counts. */
  #failStream(error: Http2Error): void {
    this.options.violated(error);
    this.resetStream(error.streamId, error.code);
    // A client may open too many before it knows the limit.
    if (error.code === ErrorCode.REFUSED_STREAM) this.#guard.idleFrame();
    else this.#guard.wastedStream();
  }

  #fail(error: Http2Error): void {
    if (this.#closed) return;
    this.options.violated(error);
    this.#end(error.code, error.message);
  }

  /** Says why, and gives the peer a moment to read it: closing at once would discard what is on its way. */
  #end(code: number, reason: string): void {
    if (this.#closed) return;
    const { socket } = this;
    this.#finish(() => {
      socket.end(frames.encodeGoaway(this.#calls.lastStreamId, code, reason));
      // Goes on reading what nobody handles: unread bytes would turn the end into a reset.
      const timer = setTimeout(() => socket.destroy(), lingerMs);
      socket.once('close', () => clearTimeout(timer));
    });
  }

  #lose(): void {
    this.#finish(() => this.socket.destroy());
  }

  #finish(closeSocket: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader.stop();
    this.#keepalive.stop();
    this.out.close();
    closeSocket();
    this.#calls.abortAll();
    this.options.closed();
  }
}
