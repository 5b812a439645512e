export interface KeepaliveOptions {
  readonly handshakeMs: number;
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
}

/**
 * Finds peers that never begin, or that vanished without a FIN (conformance X-27): waits for the handshake, then for
 * silence, then for the answer to a PING. Anything that comes is a sign of life.
 */
export class Keepalive {
  #timer: NodeJS.Timeout;
  #state: 'handshake' | 'quiet' | 'asked' | 'stopped' = 'handshake';

  constructor(
    private readonly options: KeepaliveOptions,
    private readonly ping: () => void,
    private readonly expired: (why: string) => void,
  ) {
    this.#timer = this.#start(options.handshakeMs);
  }

  /** The handshake is done. */
  established(): void {
    if (this.#state === 'handshake') this.#wait('quiet', this.options.keepaliveMs);
  }

  /** Something came. */
  alive(): void {
    if (this.#state === 'quiet') this.#timer.refresh();
    else if (this.#state === 'asked') this.#wait('quiet', this.options.keepaliveMs);
  }

  stop(): void {
    this.#state = 'stopped';
    clearTimeout(this.#timer);
  }

  #wait(state: 'quiet' | 'asked', ms: number): void {
    clearTimeout(this.#timer);
    this.#state = state;
    this.#timer = this.#start(ms);
  }

  #start(ms: number): NodeJS.Timeout {
    const timer = setTimeout(() => this.#due(), ms);
    timer.unref();
    return timer;
  }

  #due(): void {
    if (this.#state === 'quiet') {
      this.#wait('asked', this.options.keepaliveTimeoutMs);
      this.ping();
    } else if (this.#state === 'asked') this.expired('no answer to a PING');
    else if (this.#state === 'handshake') this.expired('no SETTINGS in time');
  }
}
