import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { afterEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import {
  type RateLimitResponse,
  RateLimitRequestSchema,
  RateLimitResponse_Code as Code,
  RateLimitResponse_RateLimit_Unit as Unit,
  RateLimitResponseSchema,
} from '@seine/envoy/envoy/service/ratelimit/v3/rls_pb.js';
import { type Counters, MemoryCounters, parseRateLimitConfig, type RuleTree } from '@seine/rate-limit';
import { MixerService } from '../mixer.service.js';
import { rateLimitPart } from './rate-limit.part.js';
import { type RateLimitOptions, RateLimitService } from './rate-limit.service.js';

const now = 1_700_000_000_000 - (1_700_000_000_000 % 60_000);
const raw = (bytes: Buffer): Buffer => bytes;
const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const { rules } = parseRateLimitConfig({
  domain: 'shop',
  descriptors: [
    { key: 'path', rate_limit: { name: 'by-path', unit: 'minute', requests_per_unit: 2 } },
    { key: 'all', rate_limit: { unit: 'second', requests_per_unit: 100 } },
    { key: 'free', rate_limit: { unlimited: true } },
  ],
});
const tree: RuleTree = new Map(rules ? [[rules.domain, rules.root]] : []);

type Request = MessageInitShape<typeof RateLimitRequestSchema>;
type Outcome = { readonly code: number; readonly details: string; readonly response: RateLimitResponse | undefined };

function optionsOf(counters: Counters = new MemoryCounters(), shadow = false): RateLimitOptions {
  return { counters, rules: () => tree, rootNamespace: 'istio-system', shadow, now: () => now };
}

async function serve(...settings: Parameters<typeof optionsOf>) {
  const errors: unknown[] = [];
  const rateLimit = rateLimitPart(optionsOf(...settings), (error) => errors.push(error));
  const mixer = new MixerService({ plain: '127.0.0.1:0', parts: [rateLimit], now: () => now });
  await mixer.listen();
  const client = new grpc.Client(`127.0.0.1:${mixer.port}`, grpc.credentials.createInsecure());
  ends.push(
    () => client.close(),
    () => mixer.stop(),
  );
  const send = (bytes: Buffer, policy?: string): Promise<Outcome> => {
    const metadata = new grpc.Metadata();
    if (policy !== undefined) metadata.set('ratelimit-policy', policy);
    return new Promise((resolve) => {
      const path = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';
      client.makeUnaryRequest(path, raw, raw, bytes, metadata, (error, reply) =>
        resolve({
          code: error?.code ?? 0,
          details: error?.details ?? '',
          response: reply && fromBinary(RateLimitResponseSchema, reply),
        }),
      );
    });
  };
  const ask = (request: Request, policy?: string): Promise<Outcome> =>
    send(Buffer.from(toBinary(RateLimitRequestSchema, create(RateLimitRequestSchema, request))), policy);
  return { ask, send, errors };
}

const of = (key: string, value = ''): NonNullable<Request['descriptors']>[number] => ({ entries: [{ key, value }] });

describe('the rate limit service', () => {
  it('R-1: refuses what has no domain or descriptors, or is no request', async () => {
    const { ask, send } = await serve();
    expect((await ask({ domain: '', descriptors: [of('path')] })).code).toBe(grpc.status.INVALID_ARGUMENT);
    expect((await ask({ domain: 'shop' })).code).toBe(grpc.status.INVALID_ARGUMENT);
    expect(await send(Buffer.from('nonsense'))).toMatchObject({
      code: grpc.status.INVALID_ARGUMENT,
      details: 'this is no RateLimitRequest',
    });
  });

  it('R-2, R-3, R-7: answers each descriptor, with what is left and for how long', async () => {
    const { ask } = await serve();
    const request: Request = { domain: 'shop', descriptors: [of('path', '/'), of('nobody'), of('free')] };
    const replies = [await ask(request), await ask(request), await ask(request)];
    expect(replies.map(({ response }) => response?.overallCode)).toEqual([Code.OK, Code.OK, Code.OVER_LIMIT]);
    expect(replies.map(({ response }) => response?.statuses.map(({ code }) => code))).toEqual([
      [Code.OK, Code.OK, Code.OK],
      [Code.OK, Code.OK, Code.OK],
      [Code.OVER_LIMIT, Code.OK, Code.OK],
    ]);
    const [first, none, free] = replies[0]?.response?.statuses ?? [];
    expect(first).toMatchObject({
      limitRemaining: 1,
      durationUntilReset: { seconds: 60n },
      currentLimit: { name: 'by-path', requestsPerUnit: 2, unit: Unit.MINUTE },
    });
    expect(none?.currentLimit).toBeUndefined();
    expect(free).toMatchObject({ code: Code.OK, limitRemaining: 4_294_967_295 });
  });

  it('R-5: lets exactly the limit through, however many ask at once', async () => {
    const { ask } = await serve();
    const replies = await Promise.all(
      Array.from({ length: 1000 }, () => ask({ domain: 'shop', descriptors: [of('all')] })),
    );
    expect(replies.filter(({ response }) => response?.overallCode === Code.OK)).toHaveLength(100);
    expect(replies.filter(({ response }) => response?.overallCode === Code.OVER_LIMIT)).toHaveLength(900);
  });

  it('R-8: lets everything through in the shadow', async () => {
    const { ask } = await serve(new MemoryCounters(), true);
    for (let i = 0; i < 5; i++) {
      const { response } = await ask({ domain: 'shop', descriptors: [of('path', '/')] });
      expect(response?.overallCode).toBe(Code.OK);
    }
  });

  it('counts at the limit that a proxy brings along', async () => {
    const { ask } = await serve();
    const request: Request = {
      domain: 'policy.seine.dev',
      descriptors: [{ entries: [{ key: 'rate_limit', value: 'default/api/0' }] }],
    };
    const codes = [];
    for (let i = 0; i < 3; i++) codes.push((await ask(request, '"default/api/0";q=2;w=5')).response?.overallCode);
    expect(codes).toEqual([Code.OK, Code.OK, Code.OVER_LIMIT]);
    expect((await ask(request, 'nonsense')).response?.overallCode).toBe(Code.OK);
  });

  it('R-10: says so at once when requests cannot be counted', async () => {
    const { ask, errors } = await serve({ count: () => Promise.reject(new Error('the store is away')) });
    expect(await ask({ domain: 'shop', descriptors: [of('all')] })).toMatchObject({
      code: grpc.status.UNAVAILABLE,
      details: 'requests cannot be counted: the store is away',
    });
    expect(errors).toEqual([]);
  });

  it.each([
    ['its own namespace', 'default', true],
    ['the mesh', 'istio-system', true],
    ['another namespace', 'other', false],
  ])('R-15: takes limits of %s from a proxy: %s', async (_, owner, taken) => {
    const rateLimit = new RateLimitService(optionsOf());
    const request = create(RateLimitRequestSchema, {
      domain: 'policy.seine.dev',
      descriptors: [{ entries: [{ key: 'rate_limit', value: `${owner}/api/0` }] }],
    });
    const caller = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'reviews' };
    const call = rateLimit.shouldRateLimit(Buffer.from(toBinary(RateLimitRequestSchema, request)), undefined, caller);
    if (taken) await expect(call).resolves.toBeInstanceOf(Buffer);
    else await expect(call).rejects.toMatchObject({ code: grpc.status.PERMISSION_DENIED });
  });
});
