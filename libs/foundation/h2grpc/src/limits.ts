import { ErrorCode, Http2Error } from './frames.js';

/** What one connection may cost. Over a limit only that connection (or stream) ends. */
export interface ConnectionLimits {
  /** From the connection to the client's preface and SETTINGS, ms. */
  readonly handshakeMs: number;
  /** Headers of one request as RFC 9113, 6.5.2 counts them; also the most that a coded block may have, bytes. */
  readonly headerListBytes: number;
  /** Frames that one block of headers may be spread over. */
  readonly headerFrames: number;
  /** Unfinished messages of all the streams of the connection together, bytes. */
  readonly pendingBytes: number;
  /** Frames that carry nothing (PING, SETTINGS, empty DATA, small WINDOW_UPDATE …) at once, and per second. */
  readonly idleFrames: number;
  readonly idleFramesPerSecond: number;
  /** Streams that are refused, malformed or reset before anything was answered, at once, and per second. */
  readonly wastedStreams: number;
  readonly wastedStreamsPerSecond: number;
  /** Answers that the client makes the server give and does not read, bytes. */
  readonly unreadAnswerBytes: number;
}

export function defaultConnectionLimits(maxMessageBytes: number, maxConcurrentStreams: number): ConnectionLimits {
  return {
    handshakeMs: 10_000,
    headerListBytes: 64 * 1024,
    headerFrames: 16,
    pendingBytes: 2 * maxMessageBytes,
    idleFrames: 2000,
    idleFramesPerSecond: 500,
    wastedStreams: Math.max(200, 2 * maxConcurrentStreams),
    wastedStreamsPerSecond: 100,
    unreadAnswerBytes: 64 * 1024,
  };
}

/** Allows so many at once, and so many per second in the long run. */
export class Allowance {
  #left: number;
  #countedAt: number;

  constructor(
    private readonly atOnce: number,
    private readonly perSecond: number,
    /** Milliseconds, steady. */
    private readonly now: () => number,
  ) {
    this.#left = atOnce;
    this.#countedAt = now();
  }

  /** @returns whether it is still allowed */
  take(count = 1): boolean {
    this.#left -= count;
    if (this.#left >= 0) return true;
    const now = this.now();
    this.credit(((now - this.#countedAt) * this.perSecond) / 1000);
    this.#countedAt = now;
    return this.#left >= 0;
  }

  /** Gives back, for what was well used. */
  credit(count: number): void {
    this.#left = Math.min(this.atOnce, this.#left + count);
  }
}

/** Counts what a client does for nothing. Its methods throw Http2Error (ENHANCE_YOUR_CALM) when it is too much. */
export class FloodGuard {
  readonly #idleFrames: Allowance;
  readonly #wastedStreams: Allowance;

  /** @param now milliseconds, steady */
  constructor(limits: ConnectionLimits, now: () => number) {
    this.#idleFrames = new Allowance(limits.idleFrames, limits.idleFramesPerSecond, now);
    this.#wastedStreams = new Allowance(limits.wastedStreams, limits.wastedStreamsPerSecond, now);
  }

  /** A frame came that carries nothing. */
  idleFrame(count = 1): void {
    if (!this.#idleFrames.take(count))
      throw new Http2Error(ErrorCode.ENHANCE_YOUR_CALM, 'too many frames that carry nothing');
  }

  /** A stream was opened for nothing. */
  wastedStream(): void {
    if (!this.#wastedStreams.take()) throw new Http2Error(ErrorCode.ENHANCE_YOUR_CALM, 'too many streams for nothing');
  }

  /** Messages went out: a client answers them with window updates and PINGs. */
  sent(bytes: number): void {
    this.#idleFrames.credit(bytes / 256);
  }
}
