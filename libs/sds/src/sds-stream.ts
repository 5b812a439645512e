import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { TypeUrl } from '@seine/envoy/resource';
import {
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  type DiscoveryRequest,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from '@seine/envoy/envoy/service/discovery/v3/discovery_pb.js';
import type { SecretResource } from './secret.js';
import type { SecretSource } from './secret-source.js';

/** Told of what an operator should know. */
export interface SdsEvents {
  onRefusedName(name: string, reason: string): void;
  onNack(names: readonly string[], message: string): void;
}

/** A client that does not keep to the protocol; its stream ends with INVALID_ARGUMENT. */
export class SdsProtocolError extends Error {
  override readonly name = 'SdsProtocolError';
}

/** An Envoy asks for a handful; more is not honest. */
const mostNames = 1000;
const mostOutstanding = 100;

function checkType(typeUrl: string): void {
  if (typeUrl !== '' && typeUrl !== TypeUrl.secret)
    throw new SdsProtocolError(`secrets are served here (${TypeUrl.secret}), not ${typeUrl}`);
}

/** What a stream has asked for. Names that are never given are kept too, so that they are told of once. */
class Subscriptions {
  readonly #unwatch = new Map<string, () => void>();

  constructor(
    private readonly source: SecretSource,
    private readonly events: SdsEvents,
    private readonly onChange: (name: string) => void,
  ) {}

  has(name: string): boolean {
    return this.#unwatch.has(name);
  }

  get names(): readonly string[] {
    return [...this.#unwatch.keys()];
  }

  add(name: string): void {
    if (this.has(name)) return;
    if (this.#unwatch.size >= mostNames) throw new SdsProtocolError(`a stream has at most ${mostNames} secrets`);
    const refusal = this.source.refusal(name);
    if (refusal !== undefined) this.events.onRefusedName(name, refusal);
    // Watching may find the secret at once; it is not ours to send before it is subscribed.
    this.#unwatch.set(name, () => undefined);
    if (refusal === undefined)
      this.#unwatch.set(
        name,
        this.source.watch(name, () => this.onChange(name)),
      );
  }

  delete(name: string): void {
    this.#unwatch.get(name)?.();
    this.#unwatch.delete(name);
  }

  /** Those of these names that can be given now. */
  resources(names: readonly string[] = this.names): readonly SecretResource[] {
    return names.flatMap((name) => {
      const given = this.has(name) && this.source.refusal(name) === undefined ? this.source.get(name) : undefined;
      return given ?? [];
    });
  }

  clear(): void {
    for (const name of this.names) this.delete(name);
  }
}

/** One stream of StreamSecrets: each response has all secrets of the stream that there are. */
export class SotwSecretStream {
  readonly #subscriptions: Subscriptions;
  #nonce = 0;
  #isReceiving = false;
  #sent = '';
  /** Names in the last response, until it is answered. */
  #unanswered: readonly string[] = [];

  constructor(
    source: SecretSource,
    private readonly send: (response: DiscoveryResponse) => void,
    private readonly events: SdsEvents,
  ) {
    this.#subscriptions = new Subscriptions(source, events, () => {
      if (!this.#isReceiving) this.#push();
    });
  }

  /** @throws SdsProtocolError */
  receive(request: DiscoveryRequest): void {
    checkType(request.typeUrl);
    // What answers an older response is overtaken by the answer to the last one.
    if (request.responseNonce !== '' && request.responseNonce !== String(this.#nonce)) return;
    if (request.responseNonce !== '') this.#unanswered = [];
    if (request.errorDetail) this.events.onNack(request.resourceNames, request.errorDetail.message);
    this.#isReceiving = true;
    try {
      const wanted = new Set(request.resourceNames);
      const added = [...wanted].filter((name) => !this.#subscriptions.has(name));
      for (const name of this.#subscriptions.names) if (!wanted.has(name)) this.#subscriptions.delete(name);
      for (const name of added) this.#subscriptions.add(name);
      // Who asks anew is answered, if there is anything; an acknowledgement is not.
      if (this.#subscriptions.resources(added).length > 0) this.#push(true);
    } finally {
      this.#isReceiving = false;
    }
  }

  /** Whether the client was sent this secret and has not said yet what it makes of it. */
  isAwaited(name: string): boolean {
    return this.#unanswered.includes(name);
  }

  close(): void {
    this.#subscriptions.clear();
    this.#unanswered = [];
  }

  #push(always = false): void {
    const resources = this.#subscriptions.resources();
    const version = resources.map((secret) => secret.version).join('.');
    if (resources.length === 0 || (!always && version === this.#sent)) return;
    this.#sent = version;
    this.#unanswered = resources.map(({ name }) => name);
    this.send(
      create(DiscoveryResponseSchema, {
        versionInfo: version,
        typeUrl: TypeUrl.secret,
        nonce: String(++this.#nonce),
        resources: resources.map(({ resource }) => resource),
      }),
    );
  }
}

/** One stream of DeltaSecrets: each response has what is new. */
export class DeltaSecretStream {
  readonly #subscriptions: Subscriptions;
  /** Versions that the client has, or was sent. */
  readonly #versions = new Map<string, string>();
  /** Names of the responses that are not answered yet, for the log. */
  readonly #outstanding = new Map<string, readonly string[]>();
  #nonce = 0;
  #isReceiving = false;

  constructor(
    source: SecretSource,
    private readonly send: (response: DeltaDiscoveryResponse) => void,
    private readonly events: SdsEvents,
  ) {
    this.#subscriptions = new Subscriptions(source, events, (name) => {
      if (!this.#isReceiving) this.#push([name]);
    });
  }

  /** @throws SdsProtocolError */
  receive(request: DeltaDiscoveryRequest): void {
    checkType(request.typeUrl);
    this.#answered(request);
    this.#isReceiving = true;
    try {
      for (const name of request.resourceNamesUnsubscribe) {
        this.#subscriptions.delete(name);
        this.#versions.delete(name);
      }
      for (const name of request.resourceNamesSubscribe) {
        // Who subscribes anew wants to have it anew, but for what a reconnecting client says it has.
        const has = request.initialResourceVersions[name];
        if (has === undefined) this.#versions.delete(name);
        else this.#versions.set(name, has);
        this.#subscriptions.add(name);
      }
      this.#push(request.resourceNamesSubscribe);
    } finally {
      this.#isReceiving = false;
    }
  }

  /** Whether the client was sent this secret and has not said yet what it makes of it. */
  isAwaited(name: string): boolean {
    return [...this.#outstanding.values()].some((names) => names.includes(name));
  }

  close(): void {
    this.#subscriptions.clear();
    this.#outstanding.clear();
  }

  #answered({ responseNonce, errorDetail }: DeltaDiscoveryRequest): void {
    const names = this.#outstanding.get(responseNonce);
    if (!names) return;
    this.#outstanding.delete(responseNonce);
    if (errorDetail) this.events.onNack(names, errorDetail.message);
  }

  #push(names: readonly string[]): void {
    const changed = this.#subscriptions
      .resources([...new Set(names)])
      .filter(({ name, version }) => this.#versions.get(name) !== version);
    if (changed.length === 0) return;
    for (const { name, version } of changed) this.#versions.set(name, version);
    const nonce = String(++this.#nonce);
    this.#outstanding.set(
      nonce,
      changed.map(({ name }) => name),
    );
    // A client that answers nothing must not fill the memory.
    for (const oldest of this.#outstanding.keys()) {
      if (this.#outstanding.size <= mostOutstanding) break;
      this.#outstanding.delete(oldest);
    }
    const response: MessageInitShape<typeof DeltaDiscoveryResponseSchema> = {
      typeUrl: TypeUrl.secret,
      nonce,
      resources: changed.map(({ name, version, resource }) => ({ name, version, resource })),
    };
    this.send(create(DeltaDiscoveryResponseSchema, response));
  }
}
