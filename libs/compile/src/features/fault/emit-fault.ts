import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { durationOf, toAny } from '@seine/envoy';
import { type FaultDelay, FaultDelaySchema } from '@seine/envoy/envoy/extensions/filters/common/fault/v3/fault_pb.js';
import {
  type FaultAbort,
  FaultAbortSchema,
  HTTPFaultSchema,
} from '@seine/envoy/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import { grpcStatusNames, type HTTPFaultInjection } from '@seine/istio';
import { istioMilliseconds } from '../connection-pool/istio-duration.js';
import { fractionOfPercent, fractionOfWholePercent } from '../routing/fraction.js';

/** The HTTP filter whose per-route configuration `emitFault` is. */
export const faultFilter = 'envoy.filters.http.fault';

/** `fault`: the client's Envoy delays or answers itself. Undefined where nothing is injected. */
export function emitFault(fault: HTTPFaultInjection | undefined): Any | undefined {
  const delay = emitDelay(fault?.delay);
  const abort = emitAbort(fault?.abort);
  return delay || abort ? toAny(HTTPFaultSchema, { delay, abort }) : undefined;
}

/** Without a percentage no request is hit, as in Istio. */
function emitDelay(delay: HTTPFaultInjection['delay']): FaultDelay | undefined {
  const milliseconds = delay?.fixedDelay === undefined ? 0 : istioMilliseconds(delay.fixedDelay);
  if (!delay || milliseconds <= 0) return undefined;
  return create(FaultDelaySchema, {
    faultDelaySecifier: { case: 'fixedDelay', value: durationOf(milliseconds) },
    percentage: delay.percentage
      ? fractionOfPercent(delay.percentage.value ?? 0)
      : fractionOfWholePercent(delay.percent ?? 0),
  });
}

function emitAbort(abort: HTTPFaultInjection['abort']): FaultAbort | undefined {
  const errorType = abortError(abort);
  if (!abort || !errorType) return undefined;
  return create(FaultAbortSchema, { errorType, percentage: fractionOfPercent(abort.percentage?.value ?? 0) });
}

function abortError(abort: HTTPFaultInjection['abort']): FaultAbort['errorType'] | undefined {
  if (abort?.httpStatus !== undefined) return { case: 'httpStatus', value: abort.httpStatus };
  const code = abort?.grpcStatus === undefined ? -1 : grpcStatusCode(abort.grpcStatus);
  return code < 0 ? undefined : { case: 'grpcStatus', value: code };
}

/** By name, or by number; -1 where it is neither. */
function grpcStatusCode(status: string): number {
  if (/^\d+$/.test(status)) return Number(status) < grpcStatusNames.length ? Number(status) : -1;
  return grpcStatusNames.indexOf(status.toUpperCase());
}
