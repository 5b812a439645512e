import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Address } from '../params/address.js';

export interface UdpLinesOptions {
  readonly to: Address;
  /** Most bytes of a packet; a single longer line goes in one of its own. */
  readonly maxBytes: number;
  readonly warn: (message: string) => void;
}

/** So many packets may be on their way out of this process. */
const maxPending = 1000;

/** Lines that go out in packets, several in one. Nobody answers, so nothing is known of what arrives. */
export class UdpLines {
  /** Packets that could not be sent. */
  dropped = 0;
  #lines: string[] = [];
  #bytes = 0;
  #socket: Socket | undefined;
  #pending = 0;
  #failing = false;
  #idle: (() => void) | undefined;

  constructor(private readonly options: UdpLinesOptions) {}

  add(line: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#bytes > 0 && this.#bytes + bytes > this.options.maxBytes + 1) this.flush();
    this.#lines.push(line);
    this.#bytes += bytes;
    if (this.#bytes > this.options.maxBytes) this.flush();
  }

  flush(): void {
    if (this.#lines.length === 0) return;
    const packet = Buffer.from(this.#lines.join('\n'));
    this.#lines = [];
    this.#bytes = 0;
    if (this.#pending >= maxPending) {
      this.#fail('packets come faster than they can be sent');
      return;
    }
    this.#pending++;
    const { host, port } = this.options.to;
    this.#open().send(packet, port, host, (error) => {
      this.#pending--;
      if (error) this.#fail(error.message);
      else this.#failing = false;
      if (this.#pending === 0) this.#idle?.();
    });
  }

  async close(): Promise<void> {
    this.flush();
    if (this.#pending > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#socket?.close();
    this.#socket = undefined;
  }

  #open(): Socket {
    if (this.#socket) return this.#socket;
    const socket = createSocket(isIPv6(this.options.to.host) ? 'udp6' : 'udp4');
    socket.on('error', (error) => this.#fail(error.message));
    socket.unref();
    return (this.#socket = socket);
  }

  #fail(reason: string): void {
    this.dropped++;
    if (this.#failing) return;
    this.#failing = true;
    const { host, port } = this.options.to;
    this.options.warn(`cannot send to ${host}:${port}: ${reason}; what could not be sent is lost`);
  }
}
