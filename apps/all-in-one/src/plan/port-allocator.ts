/** Hands out ports of 127.0.0.1, each once, upwards from a first one. */
export class PortAllocator {
  readonly #given = new Set<number>();

  /** @param isFree whether nobody listens there now */
  constructor(private readonly isFree: (port: number) => boolean) {}

  /** The next free port from `first` up. */
  next(first: number): number {
    let port = first;
    while (this.#given.has(port) || !this.isFree(port)) port++;
    this.#given.add(port);
    return port;
  }
}
