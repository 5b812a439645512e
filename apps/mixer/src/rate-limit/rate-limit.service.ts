import type { WorkloadIdentity } from '@seine/ca';
import { GrpcError, GrpcStatus } from '@seine/h2grpc';
import {
  type Counters,
  decide,
  type Descriptor,
  isAbout,
  type LimitAnswer,
  LimitRequestError,
  type LimitRequest,
  ownDomain,
  parseRateLimitPolicy,
  type RuleTree,
} from '@seine/rate-limit';
import type { Caller } from '../part.js';
import { decodeRequest, encodeAnswer } from './messages.js';

export interface RateLimitOptions {
  readonly counters: Counters;
  /** As they are now. */
  readonly rules: () => RuleTree;
  /** Namespace whose limits are for all of the mesh. */
  readonly rootNamespace: string;
  /** Limits are counted, but none is in the way. */
  readonly shadow: boolean;
  readonly decided?: ((answer: LimitAnswer) => void) | undefined;
  readonly now: () => number;
}

/** envoy.service.ratelimit.v3.RateLimitService without its transport. */
export class RateLimitService {
  constructor(private readonly options: RateLimitOptions) {}

  /**
   * @param request a RateLimitRequest
   * @param policy the metadata `ratelimit-policy` of the call: a limit that the proxy brings along
   * @returns a RateLimitResponse
   * @throws GrpcError (rejects) where the request is none, asks for what is another's, or cannot be counted now
   */
  async shouldRateLimit(request: Buffer, policy: string | undefined, caller: Caller): Promise<Buffer> {
    const asked = readRequest(request);
    if (asked.domain === ownDomain && caller) this.#checkOwner(asked, caller);
    const own = parseRateLimitPolicy(policy);
    const limitOf =
      own && asked.domain === ownDomain ? (one: Descriptor) => (isAbout(own, one) ? own : undefined) : undefined;
    const { rules, counters, shadow, now, decided } = this.options;
    try {
      const answer = await decide(asked, { rules: rules(), counters, shadow, limitOf }, now());
      decided?.(answer);
      return encodeAnswer(answer);
    } catch (error) {
      if (error instanceof LimitRequestError) throw new GrpcError(GrpcStatus.INVALID_ARGUMENT, error.message);
      // The proxy knows what is to be done without an answer: its RateLimit says so (failOpen).
      throw new GrpcError(
        GrpcStatus.UNAVAILABLE,
        `requests cannot be counted: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  /** A proxy counts at limits of its own namespace and of the mesh, not at those of others. */
  #checkOwner({ descriptors }: LimitRequest, { namespace }: WorkloadIdentity): void {
    for (const { entries } of descriptors) {
      const [first] = entries;
      const owner = first?.key === 'rate_limit' ? first.value.split('/', 1)[0] : undefined;
      if (owner !== undefined && owner !== namespace && owner !== this.options.rootNamespace)
        throw new GrpcError(GrpcStatus.PERMISSION_DENIED, `limits of ${owner} are not for workloads of ${namespace}`);
    }
  }
}

function readRequest(bytes: Buffer): LimitRequest {
  try {
    return decodeRequest(bytes);
  } catch {
    throw new GrpcError(GrpcStatus.INVALID_ARGUMENT, 'this is no RateLimitRequest');
  }
}
