import net from 'node:net';
import type { Duplex } from 'node:stream';
import { FrameReader } from './frame-reader.js';
import { clientPreface, encodeFrame, encodeSettings, Flag, FrameType, unpad } from './frames.js';
import { messagePrefix } from './framing.js';
import { type Header, HpackDecoder } from './hpack-decoder.js';
import { encodeHeader } from './response-headers.js';

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** What the tests call: a path that echoes every message. */
export const echoPath = '/test.Echo/Stream';

export function requestBlock(overrides: Readonly<Record<string, string>> = {}): Buffer {
  const headers = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': echoPath,
    ':authority': 'test',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...overrides,
  };
  return Buffer.concat(Object.entries(headers).map(([name, value]) => encodeHeader(name, value)));
}

export function grpcMessage(text: string | Buffer): Buffer {
  const body = Buffer.from(text);
  return Buffer.concat([messagePrefix(body.length), body]);
}

/** A client that sends exactly the frames it is told to, right or wrong: for the tests of the server. */
export class RawClient {
  readonly frames: Frame[] = [];
  closed = false;
  readonly #decoder = new HpackDecoder();
  readonly #waiting = new Set<() => void>();

  constructor(readonly socket: Duplex) {
    const reader = new FrameReader((1 << 24) - 1, (type, flags, streamId, payload) => {
      this.frames.push({ type, flags, streamId, payload: Buffer.from(payload) });
    });
    // The reader is a server's: it wants the preface first.
    reader.push(clientPreface);
    socket.on('data', (chunk: Buffer) => {
      reader.push(chunk);
      this.#wake();
    });
    // How a connection ends is what the tests look at through `closed`.
    socket.on('error', () => this.#wake());
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawClient(socket);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Sends the preface and SETTINGS. */
  greet(settings: ReadonlyMap<number, number> = new Map()): this {
    return this.raw(Buffer.concat([clientPreface, encodeSettings(settings)]));
  }

  raw(bytes: Buffer): this {
    if (!this.socket.destroyed) this.socket.write(bytes);
    return this;
  }

  send(type: number, flags: number, streamId: number, payload?: Buffer): this {
    return this.raw(encodeFrame(type, flags, streamId, payload));
  }

  repeat(count: number, act: (i: number) => void): this {
    for (let i = 0; i < count; i++) act(i);
    return this;
  }

  /** Opens a call. */
  open(streamId: number, overrides: Readonly<Record<string, string>> = {}): this {
    return this.send(FrameType.HEADERS, Flag.END_HEADERS, streamId, requestBlock(overrides));
  }

  data(streamId: number, bytes: Buffer, flags = 0): this {
    return this.send(FrameType.DATA, flags, streamId, bytes);
  }

  /** Waits until something holds of what has come. Throws when the connection ended without it. */
  async until<T>(what: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = what();
      if (found !== undefined && found !== false) return found;
      if (this.closed) throw new Error('the connection ended before');
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  find(type: number, streamId?: number, flag = 0): Frame | undefined {
    return this.frames.find(
      (f) => f.type === type && (streamId === undefined || f.streamId === streamId) && (f.flags & flag) === flag,
    );
  }

  next(type: number, streamId?: number, flag = 0): Promise<Frame> {
    return this.until(() => this.find(type, streamId, flag));
  }

  /** Bytes of messages that came on a stream. */
  received(streamId: number): Buffer {
    const data = this.frames.filter((f) => f.type === FrameType.DATA && f.streamId === streamId);
    return Buffer.concat(data.map((f) => unpad(f.payload, f.flags)));
  }

  decode(frame: Frame): readonly Header[] {
    return this.#decoder.decode(frame.payload, 1 << 20).headers;
  }

  /** Error code of the reset of a stream, or of the GOAWAY for stream 0. */
  async failure(streamId = 0): Promise<number> {
    if (streamId > 0) return (await this.next(FrameType.RST_STREAM, streamId)).payload.readUInt32BE(0);
    return (await this.next(FrameType.GOAWAY)).payload.readUInt32BE(4);
  }

  async ended(): Promise<void> {
    await this.until(() => this.closed);
  }

  destroy(): void {
    this.socket.destroy();
  }
}
