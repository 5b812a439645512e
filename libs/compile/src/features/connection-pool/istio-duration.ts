import type { Duration } from '@bufbuild/protobuf/wkt';
import { durationOf } from '@seine/envoy';
import { parseDuration } from '@seine/istio';

/** Milliseconds of a duration in a resource (`1h30m`, `10s`, `8ms`). Validation has refused what is none; 0 then. */
export function istioMilliseconds(text: string): number {
  return parseDuration(text) ?? 0;
}

export function istioDuration(text: string): Duration {
  return durationOf(istioMilliseconds(text));
}
