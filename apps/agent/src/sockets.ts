import type { SdsEvents } from '@seine/sds';
import { type Admission, SdsServer } from './sds-server.js';
import type { Workload } from './workload.js';

/** A socket and the workloads on it. */
interface Served {
  readonly users: Set<Workload>;
  /** Each stream proves by a token which workload it is. */
  readonly isShared: boolean;
  readonly server: Promise<SdsServer>;
}

export interface SocketsOptions {
  readonly trustDomain: string;
  readonly events: SdsEvents;
  readonly onWarning: (message: string) => void;
}

/** The sockets of an agent: who may have what on each of them. */
export class Sockets {
  readonly #served = new Map<string, Served>();
  /** Those that listen. */
  readonly #servers = new Set<SdsServer>();

  constructor(private readonly options: SocketsOptions) {}

  /**
   * Serves a socket. Several workloads share it from the first moment on, or never: who was let in without a token must
   * not become one of many.
   * @throws Error when it cannot be had
   */
  async open(socket: string, workloads: readonly Workload[]): Promise<void> {
    const there = this.#served.get(socket);
    if (there) {
      if (!there.isShared)
        throw new Error(`the socket ${socket} is of ${[...there.users].map(({ name }) => name).join(', ')} alone`);
      for (const workload of workloads) there.users.add(workload);
      await there.server;
      return;
    }
    const server = SdsServer.listen({
      socket,
      trustDomain: this.options.trustDomain,
      admit: (bearer) => this.#admit(socket, bearer),
      events: this.options.events,
      onWarning: this.options.onWarning,
    });
    this.#served.set(socket, { users: new Set(workloads), isShared: workloads.length > 1, server });
    try {
      this.#servers.add(await server);
    } catch (error) {
      this.#served.delete(socket);
      throw error;
    }
  }

  /** Ends the workload's streams, and the socket with its last workload. */
  async leave(workload: Workload): Promise<void> {
    const { socket } = workload.options;
    const served = this.#served.get(socket);
    if (!served?.users.delete(workload)) return;
    if (served.users.size === 0) this.#served.delete(socket);
    const server = await served.server;
    server.dismiss(workload.secrets);
    if (served.users.size > 0) return;
    this.#servers.delete(server);
    server.close();
  }

  /** Whether some Envoy was sent this secret and has not answered yet. */
  isAwaited(name: string): boolean {
    return [...this.#servers].some((server) => server.isAwaited(name));
  }

  close(): void {
    for (const server of this.#servers) server.close();
    this.#servers.clear();
    this.#served.clear();
  }

  #admit(socket: string, bearer: string | undefined): Admission {
    const { users, isShared } = this.#served.get(socket) ?? { users: new Set<Workload>(), isShared: true };
    const [only] = users;
    if (only && !isShared) {
      const error = only.terms.refusal(bearer);
      return error === undefined ? only.secrets : { error };
    }
    if (bearer === undefined) return { error: 'several workloads share this socket, and no token says which it is' };
    const proved = [...users].find(({ token }) => token.matches(bearer));
    return proved?.secrets ?? { error: 'the token is of no workload of this socket' };
  }
}
