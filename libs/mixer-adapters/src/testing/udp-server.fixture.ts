import { createSocket, type Socket } from 'node:dgram';

/** A UDP socket that keeps what it gets. */
export class UdpServer {
  readonly packets: string[] = [];
  #waiting: (() => void)[] = [];

  private constructor(private readonly socket: Socket) {
    socket.on('message', (message) => {
      this.packets.push(message.toString('utf8'));
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  static async listen(): Promise<UdpServer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new UdpServer(socket);
  }

  get address(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  /** Resolves when so many packets have come. */
  async received(count: number): Promise<readonly string[]> {
    while (this.packets.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.packets;
  }

  close(): void {
    this.socket.close();
  }
}
