import net, { type AddressInfo } from 'node:net';

/**
 * Loopback addresses for one test file: 127.X.Y.1 with an X of its own process, so that meshes of two runs on one
 * machine do not meet. Those of one mesh differ in Y, and the rest of each /24 is free for its services.
 */
export class LoopbackAddresses {
  #next = 0;

  /** @param base second number of the addresses, 128 to 254 */
  constructor(private readonly base = 128 + (process.pid % 127)) {}

  next(): string {
    this.#next++;
    return `127.${this.base}.${this.#next}.1`;
  }
}

/** A port that is free now on this address. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
