export interface GrpcStreamEvents {
  readonly message: (message: Buffer) => void;
  /** The client sends no more. Absent: the call ends with OK, as nothing that is waited for can come. */
  readonly ended?: () => void;
  /** The stream is gone, for whatever reason; nothing is called after it. */
  readonly close: () => void;
  /** What was written has been handed on; called after each `write` that returned false. */
  readonly drain?: () => void;
}

/** The server's end of one bidirectional stream of raw messages. */
export interface GrpcStream {
  /** Address of the peer, `127.0.0.1:43210`. */
  readonly peer: string;
  /** `/package.Service/Method` */
  readonly path: string;
  /** What the client's end of TLS has shown, DER, the leaf first: not verified. Undefined where there is no TLS. */
  readonly certificates: readonly Buffer[] | undefined;
  /** The header of that name; empty where there is none. */
  readonly authorization: string;
  /** The value of another header (gRPC: of initial metadata), by its name in lower case; undefined where there is none. */
  header(name: string): string | undefined;
  readonly closed: boolean;
  /** Bytes that were written and not yet taken by the transport. */
  readonly buffered: number;

  /** Takes the stream; to be called before the handler returns, as messages follow at once. */
  on(events: GrpcStreamEvents): void;

  /**
   * Writes one message, given in parts that are sent as they are (not copied when large, so that one body can be
   * shared by any number of streams): they must never change. @returns false when the peer does not keep up: wait
   * for `drain`
   */
  write(parts: readonly Buffer[], size: number): boolean;

  /** Ends the call with a status after what was written; later calls do nothing. */
  end(code: number, message?: string): void;

  /** Ends the call at once, without waiting for a peer that does not read. */
  reset(): void;
}
