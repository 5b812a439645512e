import { type GrpcStream, GrpcStatus } from '@seine/h2grpc';
import { viewVersion } from '@seine/snapshot';
import type { PeerIdentity } from './admission.js';
import type { HoldBack } from './hold-back.js';
import { MalformedMessage } from './protobuf-scan.js';
import { parseDeltaRequest, parseSotwRequest, type XdsRequest } from './request.js';
import type { Variant } from './response.js';
import type { ProxyHandle, SnapshotSource } from './snapshot-source.js';
import type { ProxyStatus } from './status.js';
import { type StreamEvents, XdsStream } from './xds-stream.js';

export interface ConnectionContext {
  readonly source: SnapshotSource;
  readonly holdBack: HoldBack;
  readonly now: () => number;
  readonly events: StreamEvents;
  /** A hold was set or lifted: other streams may have something to get. */
  readonly holdsChanged: () => void;
  readonly closed: (connection: Connection) => void;
  /** A client was turned away for who it is, or what it says of itself. */
  readonly refused: (peer: string, code: number, reason: string) => void;
}

/** One client's ADS stream: joins the transport with the protocol, and ends either when the other fails. */
export class Connection {
  #handle: ProxyHandle | undefined;
  #stream: XdsStream | undefined;
  #blockedSince: number | undefined;

  constructor(
    readonly number: number,
    readonly variant: Variant,
    private readonly grpc: GrpcStream,
    private readonly connectedAt: number,
    /** Who the client has proved to be; undefined where nobody has to. */
    readonly identity: PeerIdentity | undefined,
    private readonly context: ConnectionContext,
  ) {
    grpc.on({
      message: (message) => this.receive(message),
      close: () => this.#close(),
      drain: () => {
        this.#blockedSince = undefined;
        this.#stream?.drained();
      },
    });
  }

  get stream(): XdsStream | undefined {
    return this.#stream;
  }

  /** Since when the client has not taken what was written to it, ms since the epoch. */
  get blockedSince(): number | undefined {
    return this.#blockedSince;
  }

  /** Looks whether there is something new for this client. */
  refresh(): void {
    try {
      if (this.#handle) this.#stream?.update(this.#handle.snapshot());
    } catch (error) {
      // The client keeps what it has; a later mesh may compile for it again.
      this.context.events.failed?.(this.#handle?.id ?? '', error);
    }
  }

  /** Ends the stream; by default with UNAVAILABLE, which makes the client try elsewhere. */
  end(message: string, code: number = GrpcStatus.UNAVAILABLE): void {
    this.grpc.end(code, message);
  }

  /** Ends a stream whose client does not read. */
  reset(): void {
    this.grpc.reset();
  }

  /** Takes a message of the client. */
  receive(message: Buffer): void {
    if (this.grpc.closed) return;
    try {
      const request = this.variant === 'delta' ? parseDeltaRequest(message) : parseSotwRequest(message);
      if (request.typeUrl === '')
        this.grpc.end(GrpcStatus.INVALID_ARGUMENT, 'type_url is required on an aggregated stream');
      else if (this.#handle || this.#open(request)) this.#dispatch(request);
    } catch (error) {
      if (error instanceof MalformedMessage) {
        this.grpc.end(GrpcStatus.INVALID_ARGUMENT, `not a discovery request: ${error.message}`);
        return;
      }
      this.context.events.failed?.(this.#handle?.id ?? '', error);
      this.grpc.end(GrpcStatus.INTERNAL, 'the configuration could not be computed');
    }
  }

  #dispatch(request: XdsRequest): void {
    if (this.#stream?.receive(request)) this.context.holdsChanged();
  }

  #open(request: XdsRequest): boolean {
    if (!request.node?.id) {
      this.grpc.end(GrpcStatus.INVALID_ARGUMENT, 'the first request must carry node.id');
      return false;
    }
    const opened = this.context.source.open(request.node, this.identity);
    if ('error' in opened) {
      const { code = GrpcStatus.INVALID_ARGUMENT, error, reason = error } = opened;
      this.context.refused(this.grpc.peer, code, reason);
      this.grpc.end(code, error);
      return false;
    }
    this.#handle = opened;
    const outbox = { write: (parts: readonly Buffer[], size: number) => this.#write(parts, size) };
    const { holdBack, now, events } = this.context;
    this.#stream = new XdsStream(this.variant, opened, outbox, holdBack, now, opened.snapshot(), events);
    return true;
  }

  #write(parts: readonly Buffer[], size: number): boolean {
    const free = this.grpc.write(parts, size);
    if (!free) this.#blockedSince ??= this.context.now();
    return free;
  }

  #close(): void {
    this.#handle?.close();
    this.#handle = undefined;
    this.#stream = undefined;
    this.context.closed(this);
  }

  status(): ProxyStatus | undefined {
    const stream = this.#stream;
    if (!stream) return undefined;
    return {
      id: stream.proxy.id,
      stream: this.number,
      peer: this.grpc.peer,
      variant: this.variant,
      envoyVersion: stream.proxy.envoyVersion,
      connectedAt: this.connectedAt,
      settledRevision: stream.settledRevision,
      goalRevision: stream.goal.revision,
      types: [...stream.types.values()].map((type) => ({
        typeUrl: type.typeUrl,
        sent: type.lastNonce && type.sent ? viewVersion(type.sent) : '',
        acked: type.ackedVersion,
        pendingSince: type.outstanding?.sentAt,
        nack: type.nack,
      })),
    };
  }
}
