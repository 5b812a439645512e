import { GrpcStatus } from './status.js';
import type { GrpcStream, GrpcStreamEvents } from './stream.js';

/** A call that ends with this status instead of an answer. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** One message in, one out. @throws GrpcError for another status than OK; what else it throws is INTERNAL */
export type UnaryMethod = (request: Buffer, call: GrpcStream) => Buffer | Promise<Buffer>;

/**
 * Serves a method of one request and one answer on the streams of a GrpcServer.
 * @param onError is told what is INTERNAL to the client
 */
export function unary(method: UnaryMethod, onError: (error: unknown) => void): (call: GrpcStream) => void {
  const fail = (call: GrpcStream, error: unknown): void => {
    if (error instanceof GrpcError) {
      call.end(error.code, error.message);
      return;
    }
    onError(error);
    call.end(GrpcStatus.INTERNAL, 'internal error');
  };
  const answer = (call: GrpcStream, response: Buffer): void => {
    if (call.closed) return;
    call.write([response], response.length);
    call.end(GrpcStatus.OK);
  };
  return (call) => {
    let taken = false;
    const message: GrpcStreamEvents['message'] = (request) => {
      if (taken) {
        call.end(GrpcStatus.INTERNAL, 'one message makes a request');
        return;
      }
      taken = true;
      try {
        const response = method(request, call);
        if (response instanceof Promise)
          response.then(
            (made) => answer(call, made),
            (error: unknown) => fail(call, error),
          );
        else answer(call, response);
      } catch (error) {
        fail(call, error);
      }
    };
    const ended = (): void => {
      if (!taken) call.end(GrpcStatus.INTERNAL, 'there was no request');
    };
    call.on({ message, ended, close: () => undefined });
  };
}
