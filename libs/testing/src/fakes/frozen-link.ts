import net, { type AddressInfo, type Socket } from 'node:net';

/** A TCP relay on loopback that can stop carrying bytes while both ends stay open: a peer that vanished without a FIN. */
export class FrozenLink {
  readonly #sockets = new Set<Socket>();
  #frozen = false;

  private constructor(
    private readonly server: net.Server,
    target: number,
  ) {
    server.on('connection', (near) => {
      const far = net.connect(target, '127.0.0.1');
      this.#carry(near, far);
      this.#carry(far, near);
    });
  }

  static async to(target: number): Promise<FrozenLink> {
    const server = net.createServer();
    const link = new FrozenLink(server, target);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return link;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on nothing passes, in either direction, and nothing is closed. */
  freeze(): void {
    this.#frozen = true;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  #carry(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (data) => {
      if (!this.#frozen) to.write(data);
    });
    from.on('close', () => {
      this.#sockets.delete(from);
      if (!this.#frozen) to.destroy();
    });
    // The other end sees the close that follows.
    from.on('error', () => from.destroy());
  }
}
