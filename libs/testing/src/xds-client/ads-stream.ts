import type { ClientDuplexStream, StatusObject } from '@grpc/grpc-js';
import { TypeUrl } from '@seine/envoy';
import type { Node } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { type AdsRequest, type AdsResponse, type AdsVariant, decodeResponse, encodeRequest } from './ads-messages.js';
import { ClientState } from './client-state.js';

/** Which response a test waits for: a type URL, or any condition. */
export type ResponseMatch = string | ((response: AdsResponse) => boolean);

interface Waiter {
  readonly matches: (response: AdsResponse) => boolean;
  readonly resolve: (response: AdsResponse) => void;
}

/** Longest wait for something that must come; a bound on a failing test, not a measurement. */
const patienceMs = 10_000;

/** How many secrets `barrier-N` a server under test has to know for `barrier()` in state-of-the-world. */
export const barrierSecrets = 16;

/**
 * The client's end of one ADS stream. It answers nothing by itself (see EnvoyLikeClient for a client that does), keeps
 * what it was sent in `state`, and what nobody waited for in `inbox`.
 */
export class AdsStream {
  readonly state: ClientState;
  readonly inbox: AdsResponse[] = [];
  /** How the call ended; never rejects. */
  readonly ended: Promise<StatusObject>;
  /** When set, gets each response instead of the inbox. */
  onResponse: ((response: AdsResponse) => void) | undefined;
  readonly #waiters = new Set<Waiter>();
  readonly #names = new Map<string, readonly string[]>();
  readonly #lastNonces = new Map<string, string>();
  #status: StatusObject | undefined;
  #barriers = 0;
  #sent = 0;

  constructor(
    readonly variant: AdsVariant,
    private readonly call: ClientDuplexStream<Buffer, Buffer>,
    private readonly node: Node | undefined,
  ) {
    this.state = new ClientState(variant);
    call.on('data', (bytes: Buffer) => this.#receive(decodeResponse(variant, bytes)));
    // Without a listener an ended call would end the whole test process; what it says is in `ended`.
    call.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      call.on('status', (status: StatusObject) => {
        this.#status = status;
        resolve(status);
      });
    });
  }

  /** Sends a request; the first one carries the node, state-of-the-world requests repeat the last names unless given. */
  request(request: AdsRequest): this {
    const names = request.names ?? (this.variant === 'sotw' ? this.#names.get(request.typeUrl) : undefined) ?? [];
    if (this.variant === 'sotw') this.#names.set(request.typeUrl, names);
    const node = this.#sent++ === 0 ? this.node : undefined;
    return this.sendRaw(encodeRequest(this.variant, { node, ...request, names }));
  }

  /** Sends bytes as they are, valid or not. */
  sendRaw(bytes: Buffer): this {
    this.#sent = Math.max(this.#sent, 1);
    this.call.write(bytes);
    return this;
  }

  ack(response: AdsResponse, changes: Pick<AdsRequest, 'names' | 'unsubscribe'> = {}): this {
    const { typeUrl, nonce, version } = response;
    return this.request({ typeUrl, nonce, version, ...changes });
  }

  /** @param version what the client holds (state-of-the-world); empty when it holds nothing yet */
  nack(response: AdsResponse, message: string, version = ''): this {
    return this.request({ typeUrl: response.typeUrl, nonce: response.nonce, version, error: message });
  }

  /** The nonce of the last response of a type; empty before the first. */
  nonceOf(typeUrl: string): string {
    return this.#lastNonces.get(typeUrl) ?? '';
  }

  /** The first response that matches, from the inbox or to come. @throws Error when none comes or the call ends */
  async next(match: ResponseMatch = () => true): Promise<AdsResponse> {
    const matches = typeof match === 'string' ? (r: AdsResponse) => r.typeUrl === match : match;
    const at = this.inbox.findIndex(matches);
    if (at >= 0) return this.inbox.splice(at, 1)[0]!;
    const described = typeof match === 'string' ? match : 'a matching response';
    let waiter: Waiter | undefined;
    let timer: NodeJS.Timeout | undefined;
    const arrival = new Promise<AdsResponse>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`waited for ${described}: ${why}; inbox: ${this.#summary()}`));
      waiter = { matches, resolve };
      this.#waiters.add(waiter);
      timer = setTimeout(() => fail(`nothing in ${patienceMs} ms`), patienceMs);
      void this.ended.then(({ code, details }) => fail(`the call ended with ${code} ${details}`));
    });
    try {
      return await arrival;
    } finally {
      clearTimeout(timer);
      if (waiter) this.#waiters.delete(waiter);
    }
  }

  /** Takes the next response of a type and accepts it. */
  async nextAcked(match?: ResponseMatch): Promise<AdsResponse> {
    const response = await this.next(match);
    this.ack(response);
    return response;
  }

  /**
   * Returns when the server has dealt with everything sent so far and its answers, if any, are in the inbox: a request
   * for one more secret is answered behind them. State-of-the-world needs a server that knows the secrets `barrier-N`.
   */
  async barrier(): Promise<void> {
    const name = `barrier-${this.#barriers++ % barrierSecrets}`;
    const unsubscribe = this.variant === 'delta' ? this.#names.get(TypeUrl.secret) : undefined;
    const nonce = this.nonceOf(TypeUrl.secret);
    this.request({ typeUrl: TypeUrl.secret, names: [name], nonce, ...(unsubscribe && { unsubscribe }) });
    if (this.variant === 'delta') this.#names.set(TypeUrl.secret, [name]);
    const answer = await this.next(
      (r) =>
        r.typeUrl === TypeUrl.secret && (r.resources.some((item) => item.name === name) || r.removed.includes(name)),
    );
    this.ack(answer);
  }

  /** Waits until everything is dealt with. @throws Error if there is a response that nobody took */
  async expectNone(): Promise<void> {
    await this.barrier();
    if (this.inbox.length > 0) throw new Error(`expected no response, got ${this.#summary()}`);
  }

  halfClose(): this {
    this.call.end();
    return this;
  }

  /** Resets the stream. */
  cancel(): this {
    this.call.cancel();
    return this;
  }

  get isOpen(): boolean {
    return this.#status === undefined;
  }

  #receive(response: AdsResponse): void {
    this.#lastNonces.set(response.typeUrl, response.nonce);
    this.state.apply(response);
    for (const waiter of this.#waiters) {
      if (!waiter.matches(response)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(response);
      return;
    }
    if (this.onResponse) this.onResponse(response);
    else this.inbox.push(response);
  }

  #summary(): string {
    const shown = this.inbox.map(
      (r) =>
        `${r.typeUrl.slice(r.typeUrl.lastIndexOf('.') + 1)}[${r.resources.map((item) => item.name).join(' ')}]-[${r.removed.join(' ')}]`,
    );
    return shown.join(', ') || 'empty';
  }
}
