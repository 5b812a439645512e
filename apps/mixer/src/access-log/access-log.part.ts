import { GrpcError, GrpcStatus, type GrpcStream } from '@seine/h2grpc';
import type { CallerOf, MixerPart } from '../part.js';
import type { AccessLogService, AccessLogStream } from './access-log.service.js';

/**
 * envoy.service.accesslog.v3.AccessLogService.
 * @param refused is told of a stream that is not to go on, and why
 */
export function accessLogPart(
  service: AccessLogService,
  refused: (peer: string, reason: string) => void,
  onError: (error: unknown) => void,
): MixerPart {
  const end = (call: GrpcStream, error: unknown): void => {
    if (error instanceof GrpcError) {
      refused(call.peer, error.message);
      call.end(error.code, error.message);
      return;
    }
    onError(error);
    call.end(GrpcStatus.INTERNAL, 'internal error');
  };
  const handle = (call: GrpcStream, callerOf: CallerOf): void => {
    let stream: AccessLogStream;
    try {
      stream = service.stream(callerOf(call));
    } catch (error) {
      end(call, error);
      return;
    }
    // Nothing is answered until the proxy ends the stream: then the call ends, with OK.
    call.on({
      message: (message) => {
        try {
          stream.message(message);
        } catch (error) {
          end(call, error);
        }
      },
      close: () => undefined,
    });
  };
  return { endpoints: [{ path: '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs', handle }] };
}
