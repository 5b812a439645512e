/** What of a connection has been told of. */
interface Told {
  received: number;
  sent: number;
}

/** So many connections are followed; a connection more pushes out the one that was silent for longest. */
const maxConnections = 200_000;

/**
 * How many bytes a connection has had since it was last told of: Envoy tells how many it has had in all. Of a connection that
 * another mixer was told of first, or this one before it restarted, what came until now is taken as counted there.
 */
export class Connections {
  readonly #told = new Map<string, Told>();

  /** A connection that begins. */
  open(id: string): void {
    this.#keep(id, { received: 0, sent: 0 });
  }

  /**
   * @param received bytes from its beginning on; likewise `sent`
   * @param wasOpen whether it has been told of before, here or elsewhere
   * @returns bytes since it was last told of
   */
  move(id: string, received: number, sent: number, wasOpen: boolean): Told {
    const told = this.#told.get(id) ?? (wasOpen ? { received, sent } : { received: 0, sent: 0 });
    const since = { received: Math.max(0, received - told.received), sent: Math.max(0, sent - told.sent) };
    this.#keep(id, { received, sent });
    return since;
  }

  close(id: string): void {
    this.#told.delete(id);
  }

  get size(): number {
    return this.#told.size;
  }

  #keep(id: string, told: Told): void {
    this.#told.delete(id);
    this.#told.set(id, told);
    if (this.#told.size <= maxConnections) return;
    for (const oldest of this.#told.keys()) {
      this.#told.delete(oldest);
      break;
    }
  }
}
