import { create } from '@bufbuild/protobuf';
import {
  type FractionalPercent,
  FractionalPercent_DenominatorType as Denominator,
  FractionalPercentSchema,
} from '@seine/envoy/envoy/type/v3/percent_pb.js';

/** Percent (0 to 100, to four decimals) as Envoy counts it, in millionths. */
export function fractionOfPercent(percent: number): FractionalPercent {
  const numerator = Math.round(Math.min(Math.max(percent, 0), 100) * 10_000);
  return create(FractionalPercentSchema, { numerator, denominator: Denominator.MILLION });
}

/** Whole percent, for the older integer fields. */
export function fractionOfWholePercent(percent: number): FractionalPercent {
  const numerator = Math.min(Math.max(Math.trunc(percent), 0), 100);
  return create(FractionalPercentSchema, { numerator, denominator: Denominator.HUNDRED });
}
