import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import type { RuntimeFractionalPercentSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { LocalRateLimitSchema } from '@seine/envoy/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js';
import {
  type HttpFilter,
  HttpFilterSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { LocalLimit, RateLimit } from '@seine/istio';
import type { Fragment } from '../../frame/clusters-fragment.js';
import { istioDuration } from '../connection-pool/istio-duration.js';
import { constantEntry, descriptorEntries } from './descriptors.js';
import { refusalOf, refusalStatus } from './refusal.js';

const defaultMaxKeys = 10_000;

type Percent = Fragment<typeof RuntimeFractionalPercentSchema>;
const always: Percent = { defaultValue: { numerator: 100 } };
const never: Percent = { defaultValue: { numerator: 0 } };

/** A filter for each limit that a proxy holds by itself: limits know nothing of each other, and each may refuse. */
export function emitLocalRateLimits({ metadata, spec }: RateLimit): HttpFilter[] {
  return (spec.local ?? []).map((limit, i) =>
    create(HttpFilterSchema, {
      name: `envoy.filters.http.local_ratelimit.${metadata.namespace}.${metadata.name}.${i}`,
      configType: {
        case: 'typedConfig',
        value: toAny(LocalRateLimitSchema, {
          statPrefix: `rate_limit.${metadata.namespace}.${metadata.name}.${i}`,
          // Envoy's default is to look at no request.
          filterEnabled: always,
          filterEnforced: limit.mode === 'COUNT_ONLY' ? never : always,
          status: refusalStatus(limit),
          ...refusalOf(limit),
          localRateLimitPerDownstreamConnection: limit.perConnection ?? false,
          ...buckets(limit),
        }),
      },
    }),
  );
}

/** One bucket for all requests, or those of a descriptor: requests without all of its values are not limited. */
function buckets(limit: LocalLimit): Fragment<typeof LocalRateLimitSchema> {
  const tokenBucket = {
    maxTokens: limit.burst ?? limit.requests,
    tokensPerFill: limit.requests,
    fillInterval: istioDuration(limit.per),
  };
  const values = descriptorEntries(limit.descriptors);
  if (values.length === 0 && !limit.match) return { tokenBucket };
  const [name, value] = ['limit', 'all'];
  return {
    rateLimits: [{ actions: [constantEntry(name, value, limit.match), ...values].map(({ action }) => action) }],
    // An entry without a value stands for each value that comes, with a bucket of its own.
    descriptors: [{ entries: [{ key: name, value }, ...values.map(({ key }) => ({ key }))], tokenBucket }],
    ...(values.length > 0 && { maxDynamicDescriptors: limit.maxKeys ?? defaultMaxKeys }),
  };
}
