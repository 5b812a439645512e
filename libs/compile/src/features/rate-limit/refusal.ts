import { create } from '@bufbuild/protobuf';
import {
  type HeaderValueOption,
  HeaderValueOption_HeaderAppendAction as Action,
  HeaderValueOptionSchema,
} from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import type { GlobalLimit, LocalLimit } from '@seine/istio';

/** What both filters have to say of the answer to a request that is over the limit. */
export interface Refusal {
  readonly responseHeadersToAdd: HeaderValueOption[];
  /** gRPC clients get RESOURCE_EXHAUSTED, which they know, instead of UNAVAILABLE. */
  readonly rateLimitedAsResourceExhausted: true;
}

const tooManyRequests = 429;

export function refusalStatus({ statusCode }: LocalLimit | GlobalLimit): { readonly code: number } {
  return { code: statusCode ?? tooManyRequests };
}

export function refusalOf({ headers }: LocalLimit | GlobalLimit): Refusal {
  return {
    responseHeadersToAdd: Object.entries(headers ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) =>
        create(HeaderValueOptionSchema, {
          header: { key, value: value.replaceAll('%', '%%') },
          appendAction: Action.OVERWRITE_IF_EXISTS_OR_ADD,
        }),
      ),
    rateLimitedAsResourceExhausted: true,
  };
}
