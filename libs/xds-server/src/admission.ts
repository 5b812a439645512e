import { GrpcStatus, type GrpcStream } from '@seine/h2grpc';

/** Who a client has proved to be. */
export interface PeerIdentity {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Whether a stream is let in. The identity is undefined where nobody has to prove one. */
export type Admission = { readonly identity: PeerIdentity | undefined } | StreamRefusal;

/** Why a stream is let in no further: a status, and a sentence for the client. */
export interface StreamRefusal {
  readonly error: string;
  /** A gRPC status; default UNAUTHENTICATED for a client, INVALID_ARGUMENT for a node. */
  readonly code?: number;
  /** More than the client is to hear: for the log. */
  readonly reason?: string;
}

/** Finds out who a stream is of, before anything that it sends is read. Tokens may have to be asked for elsewhere. */
export type Authenticate = (stream: GrpcStream) => Admission | Promise<Admission>;

/** Most messages that a client may send before it is known who it is. */
const mostEarly = 16;

/**
 * Lets a stream wait while it is found out who it is of.
 * @param mostBytes that it may send meanwhile
 * @param admitted is told the outcome and what came meanwhile; not called when the stream has ended first
 */
export function awaitAdmission(
  stream: GrpcStream,
  coming: Promise<Admission>,
  mostBytes: number,
  admitted: (admission: Admission, early: readonly Buffer[]) => void,
): void {
  const early: Buffer[] = [];
  let bytes = 0;
  stream.on({
    message: (message) => {
      bytes += message.length;
      early.push(message);
      if (early.length > mostEarly || bytes > mostBytes)
        stream.end(GrpcStatus.RESOURCE_EXHAUSTED, 'too many requests before the client is known');
    },
    close: () => early.splice(0),
  });
  void coming
    .catch((): Admission => ({ error: 'the client cannot be authenticated now', code: GrpcStatus.UNAVAILABLE }))
    .then((admission) => {
      if (!stream.closed) admitted(admission, early);
    });
}
