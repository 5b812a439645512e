import { connect, type Socket } from 'node:net';
import { decodeMultiStream, encode } from '@msgpack/msgpack';
import type { Address } from '../params/address.js';

/** One message of Fluent's forward protocol, its entries encoded each as `[time, record]`. */
export interface ForwardMessage {
  readonly tag: string;
  readonly entries: readonly Uint8Array[];
}

export interface ForwardOptions {
  readonly to: Address;
  readonly timeoutMs: number;
  /** Waits until the other end says that it has a message. */
  readonly acknowledged: boolean;
  /** A name for each message that no other has. */
  readonly newChunk: () => string;
}

interface Waiting {
  readonly chunks: Set<string>;
  readonly done: () => void;
}

/** A connection of Fluent's forward protocol v1, opened when there is something to send. One batch at a time. */
export class ForwardConnection {
  #socket: Socket | undefined;
  #waiting: Waiting | undefined;
  /** Rejects when the connection ends. */
  #ended: Promise<never> | undefined;

  constructor(private readonly options: ForwardOptions) {}

  /** @throws Error (rejects) where it is not known that all of it has arrived */
  async send(messages: readonly ForwardMessage[]): Promise<void> {
    const { timeoutMs } = this.options;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    const late = new Promise<never>((_, reject) => {
      deadline.signal.addEventListener('abort', () => reject(new Error(`no answer in ${timeoutMs} ms`)));
    });
    late.catch(() => undefined);
    try {
      const socket = this.#socket?.writable ? this.#socket : await Promise.race([this.#open(), late]);
      await Promise.race([this.#exchange(socket, messages), this.#ended, late]);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #open(): Promise<Socket> {
    const { host, port } = this.options.to;
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port });
      this.#socket = socket;
      this.#ended = new Promise<never>((_, rejectEnd) => {
        const end = (error: Error): void => {
          rejectEnd(error);
          reject(error);
        };
        socket.on('error', end);
        socket.once('close', () => end(new Error(`${host}:${port} closed the connection`)));
      });
      this.#ended.catch(() => undefined);
      socket.once('connect', () => {
        socket.setKeepAlive(true, 30_000);
        socket.unref();
        void this.#readAcks(socket);
        resolve(socket);
      });
    });
  }

  /** Writes, and waits for what must come back. */
  async #exchange(socket: Socket, messages: readonly ForwardMessage[]): Promise<void> {
    const { acknowledged, newChunk } = this.options;
    const chunks = new Set<string>();
    const answered = new Promise<void>((resolve) => (this.#waiting = { chunks, done: resolve }));
    // All are known before the first can be answered.
    const written = messages.map(({ tag, entries }) => {
      const chunk = newChunk();
      if (acknowledged) chunks.add(chunk);
      // PackedForward: entries as one binary.
      return Buffer.from(
        encode([tag, Buffer.concat(entries), { size: entries.length, ...(acknowledged && { chunk }) }]),
      );
    });
    await new Promise<void>((resolve) => socket.write(Buffer.concat(written), () => resolve()));
    if (chunks.size > 0) await answered;
    this.#waiting = undefined;
  }

  async #readAcks(socket: Socket): Promise<void> {
    try {
      for await (const answer of decodeMultiStream(socket)) {
        const { ack } = (answer ?? {}) as { readonly ack?: unknown };
        const waiting = this.#waiting;
        if (waiting && typeof ack === 'string' && waiting.chunks.delete(ack) && waiting.chunks.size === 0)
          waiting.done();
      }
    } catch {
      // What ends the connection `send` hears, too.
      socket.destroy();
    }
  }
}
