import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '@seine/envoy-process';

/** Hands connections on: what listens in one network is reached from another. */
export class Forward {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(private readonly target: Endpoint) {
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Rejects when the address cannot be listened on. */
  static async open(from: { readonly host: string; readonly port: number }, target: Endpoint): Promise<Forward> {
    const forward = new Forward(target);
    await new Promise<void>((resolve, reject) => {
      forward.#server.once('error', reject);
      forward.#server.listen(from.port, from.host, resolve);
    });
    return forward;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    const { target } = this;
    const onward = connect('socketPath' in target ? { path: target.socketPath } : target);
    for (const [end, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      this.#sockets.add(end);
      end.pipe(other);
      // Either end may break off at any time; the other then has nobody to talk to.
      end.on('error', () => other.destroy());
      end.on('close', () => {
        this.#sockets.delete(end);
        other.destroy();
      });
    }
  }
}
