import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import {
  type RateLimitRequest,
  RateLimitRequestSchema,
  type RateLimitResponse,
  RateLimitResponse_Code as Code,
  RateLimitResponseSchema,
} from '@seine/envoy/envoy/service/ratelimit/v3/rls_pb.js';

/** One question as the service got it. */
export interface AskedLimit {
  readonly domain: string;
  /** Each descriptor as `key=value` texts. */
  readonly descriptors: readonly (readonly string[])[];
  /** The metadata `ratelimit-policy`: the limit itself. */
  readonly policy: string;
}

const service = {
  shouldRateLimit: {
    path: '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit',
    requestStream: false,
    responseStream: false,
    requestSerialize: (message: RateLimitRequest) => Buffer.from(toBinary(RateLimitRequestSchema, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(RateLimitRequestSchema, bytes),
    responseSerialize: (message: RateLimitResponse) => Buffer.from(toBinary(RateLimitResponseSchema, message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(RateLimitResponseSchema, bytes),
  },
} as const;

/**
 * A rate limit service (envoy.service.ratelimit.v3) that counts for ever: of each domain and descriptor so many requests
 * pass as the policy that comes with the question says.
 */
export class RateLimitService {
  readonly asked: AskedLimit[] = [];
  readonly #counts = new Map<string, number>();
  #server: Server | undefined;
  #port = 0;

  get port(): number {
    return this.#port;
  }

  /** Listens on a port of its own; after `close` on the same one again. */
  async listen(host = '127.0.0.1'): Promise<void> {
    const server = new Server();
    server.addService(service, {
      shouldRateLimit: (
        { request, metadata }: ServerUnaryCall<RateLimitRequest, RateLimitResponse>,
        reply: sendUnaryData<RateLimitResponse>,
      ) => reply(null, this.#decide(request, String(metadata.get('ratelimit-policy')[0] ?? ''))),
    });
    this.#server = server;
    this.#port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`${host}:${this.#port}`, ServerCredentials.createInsecure(), (error, port) => {
        if (error) reject(error);
        else resolve(port);
      });
    });
  }

  reset(): void {
    this.asked.length = 0;
    this.#counts.clear();
  }

  close(): void {
    this.#server?.forceShutdown();
    this.#server = undefined;
  }

  #decide({ domain, descriptors }: RateLimitRequest, policy: string): RateLimitResponse {
    const texts = descriptors.map(({ entries }) => entries.map(({ key, value }) => `${key}=${value}`));
    this.asked.push({ domain, descriptors: texts, policy });
    const quota = Number(/;q=(\d+)/.exec(policy)?.[1] ?? Infinity);
    const over = texts.map((entries) => {
      const counter = [domain, ...entries].join('\n');
      const count = (this.#counts.get(counter) ?? 0) + 1;
      this.#counts.set(counter, count);
      return count > quota;
    });
    return create(RateLimitResponseSchema, {
      overallCode: over.includes(true) ? Code.OVER_LIMIT : Code.OK,
      statuses: over.map((isOver) => ({ code: isOver ? Code.OVER_LIMIT : Code.OK })),
    });
  }
}
