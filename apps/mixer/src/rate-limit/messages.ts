import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { durationOf } from '@seine/envoy';
import type { RateLimitDescriptor } from '@seine/envoy/envoy/extensions/common/ratelimit/v3/ratelimit_pb.js';
import { RateLimitUnit } from '@seine/envoy/envoy/type/v3/ratelimit_unit_pb.js';
import {
  RateLimitRequestSchema,
  RateLimitResponse_Code as Code,
  type RateLimitResponse_DescriptorStatus,
  RateLimitResponse_DescriptorStatusSchema,
  RateLimitResponse_RateLimit_Unit as Unit,
  RateLimitResponseSchema,
} from '@seine/envoy/envoy/service/ratelimit/v3/rls_pb.js';
import type { DescriptorStatus, Limit, LimitAnswer, LimitRequest } from '@seine/rate-limit';

const day = 86_400_000;

/** Units of a limit that a route brings along. */
const windows: Readonly<Partial<Record<RateLimitUnit, number>>> = {
  [RateLimitUnit.SECOND]: 1000,
  [RateLimitUnit.MINUTE]: 60_000,
  [RateLimitUnit.HOUR]: 3_600_000,
  [RateLimitUnit.DAY]: day,
  [RateLimitUnit.MONTH]: 30 * day,
  [RateLimitUnit.YEAR]: 365 * day,
};

/** The unit that a window is, for `current_limit`; others have no name. */
const units: ReadonlyMap<number, Unit> = new Map([
  [1000, Unit.SECOND],
  [60_000, Unit.MINUTE],
  [3_600_000, Unit.HOUR],
  [day, Unit.DAY],
  [7 * day, Unit.WEEK],
  [30 * day, Unit.MONTH],
  [365 * day, Unit.YEAR],
]);

/** Reads a RateLimitRequest. @throws where the bytes are none */
export function decodeRequest(bytes: Buffer): LimitRequest {
  const { domain, descriptors, hitsAddend } = fromBinary(RateLimitRequestSchema, bytes);
  return { domain, hits: hitsAddend, descriptors: descriptors.map(descriptorOf) };
}

function descriptorOf({ entries, limit, hitsAddend }: RateLimitDescriptor): LimitRequest['descriptors'][number] {
  const windowMs = limit && windows[limit.unit];
  const override: Limit | undefined =
    limit && windowMs !== undefined
      ? { requests: limit.requestsPerUnit, windowMs, algorithm: 'FIXED_WINDOW' }
      : undefined;
  return { entries, override, hits: hitsAddend === undefined ? undefined : Number(hitsAddend) };
}

const maxUint32 = 4_294_967_295;

function statusOf({ overLimit, rule, verdict }: DescriptorStatus): RateLimitResponse_DescriptorStatus {
  const limit = rule?.limit;
  return create(RateLimitResponse_DescriptorStatusSchema, {
    code: overLimit ? Code.OVER_LIMIT : Code.OK,
    ...(limit &&
      limit !== 'unlimited' && {
        currentLimit: {
          name: rule.name,
          requestsPerUnit: limit.requests,
          unit: units.get(limit.windowMs) ?? Unit.UNKNOWN,
        },
      }),
    ...(limit === 'unlimited' && { limitRemaining: maxUint32 }),
    ...(verdict && {
      limitRemaining: Math.min(verdict.remaining, maxUint32),
      durationUntilReset: durationOf(verdict.resetMs),
    }),
  });
}

/** The answer to a request of one descriptor that no rule meets. */
const noLimit = Buffer.from(
  toBinary(
    RateLimitResponseSchema,
    create(RateLimitResponseSchema, { overallCode: Code.OK, statuses: [{ code: Code.OK }] }),
  ),
);

export function encodeAnswer({ overLimit, statuses }: LimitAnswer): Buffer {
  if (!overLimit && statuses.length === 1 && statuses[0]?.rule === undefined) return noLimit;
  const response = create(RateLimitResponseSchema, {
    overallCode: overLimit ? Code.OVER_LIMIT : Code.OK,
    statuses: statuses.map(statusOf),
  });
  const bytes = toBinary(RateLimitResponseSchema, response);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
