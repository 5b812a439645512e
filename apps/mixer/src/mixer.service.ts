import { GrpcError, GrpcServer, GrpcStatus, type GrpcStream } from '@seine/h2grpc';
import { judgePeer, type ServiceIdentity, TlsServer } from '@seine/identity';
import { parseAddress } from '@seine/nest';
import type { Caller, MixerPart } from './part.js';

/** gRPC over mutual TLS. */
export interface SecureMixer {
  /** `host:port` */
  readonly listen: string;
  /** Mixer's own certificate and the roots that it knows proxies by. Whoever made it starts and stops it. */
  readonly identity: Pick<ServiceIdentity, 'material' | 'bundles' | 'trustDomain' | 'onChange'>;
}

export interface MixerOptions {
  readonly secure?: SecureMixer | undefined;
  /** gRPC over plain text, `host:port`: nobody proves who they are on it. Undefined = there is none. */
  readonly plain?: string | undefined;
  readonly parts: readonly MixerPart[];
  readonly now: () => number;
}

const server = {
  maxMessageBytes: 4 * 1024 * 1024,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 10_000,
  maxConcurrentStreams: 10_000,
};

/** What proxies ask of mixer, on one port. */
export class MixerService {
  readonly #server: GrpcServer;
  readonly #tls: TlsServer | undefined;
  #port = 0;
  #securePort = 0;

  constructor(private readonly options: MixerOptions) {
    const { parts, secure } = options;
    this.#server = new GrpcServer(server);
    const callerOf = (call: GrpcStream): Caller => this.#callerOf(call);
    for (const { path, handle } of parts.flatMap(({ endpoints }) => endpoints))
      this.#server.handle(path, (call) => handle(call, callerOf));
    this.#tls =
      secure &&
      new TlsServer({
        identity: secure.identity,
        onConnection: (socket, certificates) => this.#server.accept(socket, certificates),
      });
  }

  async listen(): Promise<void> {
    const { plain, secure } = this.options;
    if (plain !== undefined) {
      const { host, port } = parseAddress(plain);
      this.#port = await this.#server.listen(host, port);
    }
    if (secure && this.#tls) {
      const { host, port } = parseAddress(secure.listen);
      this.#securePort = await this.#tls.listen(host, port);
    }
  }

  async stop(): Promise<void> {
    this.#tls?.close();
    this.#server.close();
    await Promise.all(this.options.parts.map(async ({ close }) => close?.()));
  }

  /** The port of plain text (for a listen on port 0). */
  get port(): number {
    return this.#port;
  }

  get securePort(): number {
    return this.#securePort;
  }

  /** Who a connection has proved to be is found out once: its chain is one object. */
  readonly #callers = new WeakMap<readonly Buffer[], { readonly caller: Caller; readonly until: number }>();

  #callerOf({ certificates }: GrpcStream): Caller {
    const { secure, now } = this.options;
    if (certificates === undefined || !secure) return undefined;
    const known = this.#callers.get(certificates);
    if (known && known.until > now()) return known.caller;
    const { identity } = secure;
    const judged = judgePeer(certificates, identity.bundles, now());
    if ('error' in judged || judged.identity.trustDomain !== identity.trustDomain)
      throw new GrpcError(GrpcStatus.UNAUTHENTICATED, 'the client’s identity is not proved');
    this.#callers.set(certificates, { caller: judged.identity, until: now() + recheckMs });
    return judged.identity;
  }
}

/** So long a connection is taken at its word: certificates end, and roots are retired. */
const recheckMs = 60_000;
