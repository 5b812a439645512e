import { fromBinary } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type CheckResponse, CheckResponseSchema } from '@seine/envoy/envoy/service/auth/v3/external_auth_pb.js';
import { GrpcStatus } from '@seine/h2grpc';
import type {
  CheckDispatch,
  CheckVerdict,
  Directory,
  Dispatcher,
  HeaderOperation,
  Outcome,
  PolicyRule,
  QuotaDispatch,
  QuotaVerdict,
  RunningPolicy,
  Value,
} from '@seine/mixer';
import { Registry } from 'prom-client';
import { checkRequest } from './check-request.fixture.js';
import { CheckMetrics } from './check.metrics.js';
import { CheckService } from './check.service.js';

type MaybeLater<T> = T | Promise<T>;

/** A rule with one action, and what comes of it. */
interface Made {
  readonly handler?: string;
  readonly rule?: Partial<PolicyRule>;
  readonly action?: string;
  readonly check?: () => MaybeLater<Outcome<CheckVerdict>>;
  readonly quota?: () => MaybeLater<Outcome<QuotaVerdict>>;
  readonly reads?: readonly string[];
}

const failed: Outcome<never> = { failure: { reason: 'error', message: 'a secret of the adapter' } };
const verdict = (code: number, more: Partial<CheckVerdict> = {}): Outcome<CheckVerdict> => ({
  verdict: { code, ...more },
});
const later = <T>(value: T): Promise<T> => new Promise((resolve) => setImmediate(resolve, value));

let registry: Registry;
let metrics: CheckMetrics;
let now: number;
/** Has the last service work by another version of the same rules, with the same handlers. */
let changePolicy: () => void;
beforeEach(() => {
  registry = new Registry();
  metrics = new CheckMetrics(registry);
  now = 1_700_000_000_000;
});

const directory = {
  workloadByName: () => undefined,
  workloadByAddress: () => undefined,
  fill: () => undefined,
} as unknown as Directory;

/** A service whose rules all hold. */
function serviceOf(...made: readonly Made[]): CheckService {
  const dispatches = made.map(({ handler = 'denyall.handler.istio-system', rule, action, reads = [] }) => ({
    rule: { failOpen: undefined, requestHeaders: [], responseHeaders: [], ...rule } as PolicyRule,
    action: { name: action },
    handler: { name: handler },
    instance: { name: 'requestcount.quota.istio-system', reads },
    amount: 2,
  })) as unknown as (CheckDispatch & QuotaDispatch)[];
  const of = (dispatch: unknown): Made => made[dispatches.indexOf(dispatch as never)] ?? {};
  const running = {
    policy: { rules: dispatches.map(({ rule }) => rule) },
    check: (dispatch: CheckDispatch) => of(dispatch).check?.(),
    quota: (dispatch: QuotaDispatch) => of(dispatch).quota?.(),
  } as unknown as RunningPolicy;
  changePolicy = () => Object.assign(running, { policy: { ...running.policy } });
  const dispatcher = {
    rules: () => running.policy.rules,
    resolveCheck: () => dispatches.filter((one) => of(one).check),
    resolveQuota: () => dispatches.filter((one) => of(one).quota),
  } as unknown as Dispatcher;
  return new CheckService({ policy: () => running, directory: () => directory, dispatcher, metrics, now: () => now });
}

const ask = async (service: CheckService, request = checkRequest()): Promise<CheckResponse> =>
  fromBinary(CheckResponseSchema, await service.check(request, undefined));

/** `403 PERMISSION_DENIED:…`, or `allowed`; with `?` in front where the proxy decides. */
async function outcome(service: CheckService): Promise<string> {
  const { status, httpResponse } = await ask(service);
  if (httpResponse.case === 'okResponse') {
    expect(status?.code).toBe(0);
    return 'allowed';
  }
  expect(status?.code).not.toBe(0);
  const text = `${httpResponse.value?.status?.code ?? 0} ${httpResponse.value?.body ?? ''}`;
  return httpResponse.case === 'errorResponse' ? `?${text}` : text;
}

const counted = async (name: string) =>
  (await registry.getSingleMetric(name)?.get())?.values.map(({ labels, value }) => [...Object.values(labels), value]);

describe('what becomes of a request', () => {
  it('passes where no rule is about it', async () => {
    expect(await outcome(serviceOf())).toBe('allowed');
  });

  it.each<[number, string]>([
    [7, '403 PERMISSION_DENIED:denyall.istio-system:Not allowed'],
    [16, '401 UNAUTHENTICATED:denyall.istio-system:Not allowed'],
    [8, '429 RESOURCE_EXHAUSTED:denyall.istio-system:Not allowed'],
    [5, '404 NOT_FOUND:denyall.istio-system:Not allowed'],
    [14, '503 UNAVAILABLE:denyall.istio-system:Not allowed'],
    [3, '400 INVALID_ARGUMENT:denyall.istio-system:Not allowed'],
    [1, '500 CANCELLED:denyall.istio-system:Not allowed'],
    [99, '500 UNKNOWN:denyall.istio-system:Not allowed'],
  ])('is refused by google.rpc.Code %d as %s', async (code, text) => {
    expect(await outcome(serviceOf({ check: () => verdict(code, { message: 'Not allowed' }) }))).toBe(text);
  });

  it('names handlers of old kinds as Mixer did', async () => {
    const handler = 'denyreviewsv3handler.denier.default';
    expect(await outcome(serviceOf({ handler, check: () => verdict(7, { message: 'Not allowed' }) }))).toBe(
      '403 PERMISSION_DENIED:denyreviewsv3handler.denier.default:Not allowed',
    );
  });

  it('tells clients no more than a page', async () => {
    const text = await outcome(serviceOf({ check: () => verdict(7, { message: 'x'.repeat(1_000_000) }) }));
    expect(text).toMatch(/^403 PERMISSION_DENIED:denyall\.istio-system:x{3000,}…$/);
    expect(text.length).toBeLessThan(5000);
  });

  it('is what the first rule that refuses says, in whichever order they answer', async () => {
    const service = serviceOf(
      { handler: 'a.handler.x', check: () => verdict(0) },
      { handler: 'b.handler.x', check: () => later(verdict(16, { message: 'who?' })) },
      { handler: 'c.handler.x', check: () => verdict(7, { message: 'no' }) },
      { handler: 'd.handler.x', check: () => failed },
    );
    expect(await outcome(service)).toBe('401 UNAUTHENTICATED:b.x:who?, c.x:no');
  });

  it('is known at once where adapters answer at once', () => {
    expect(serviceOf({ check: () => verdict(7) }).check(checkRequest(), undefined)).toBeInstanceOf(Buffer);
  });
});

describe('quotas', () => {
  const quota = (granted: number) => (): Outcome<QuotaVerdict> => ({ verdict: { granted } });

  it('are charged for what no check refuses', async () => {
    let charged = 0;
    const service = (code: number) =>
      serviceOf({ check: () => verdict(code) }, { quota: () => (charged++, quota(2)()) });
    expect(await outcome(service(7))).toMatch(/^403/);
    expect(charged).toBe(0);
    expect(await outcome(service(0))).toBe('allowed');
    expect(charged).toBe(1);
  });

  it.each([0, 1])('refuse with 429 where %d of 2 are granted', async (granted) => {
    expect(await outcome(serviceOf({ quota: quota(2) }, { quota: quota(granted) }))).toBe(
      '429 RESOURCE_EXHAUSTED:Quota is exhausted for: requestcount',
    );
  });

  it('are asked each time', async () => {
    let asked = 0;
    const service = serviceOf({ quota: () => (asked++, { verdict: { granted: 2, validMs: 60_000 } }) });
    await ask(service);
    await ask(service);
    expect(asked).toBe(2);
  });

  it('that cannot be charged refuse as their rule says', async () => {
    expect(await outcome(serviceOf({ rule: { failOpen: true }, quota: () => failed }))).toBe('allowed');
    expect(await outcome(serviceOf({ rule: { failOpen: false }, quota: () => failed }))).toMatch(/^500 INTERNAL/);
  });
});

describe('when an adapter fails', () => {
  const text = '500 INTERNAL:denyall.istio-system:the policy could not be checked';

  it.each<[boolean | undefined, string]>([
    [undefined, `?${text}`],
    [false, text],
    [true, 'allowed'],
  ])('and its rule has fail-open %s: %s', async (failOpen, result) => {
    expect(await outcome(serviceOf({ rule: { failOpen }, check: () => failed }))).toBe(result);
    expect(await outcome(serviceOf({ rule: { failOpen }, check: () => later(failed) }))).toBe(result);
    expect(await counted('mixer_check_passed_unchecked_total')).toEqual([[failOpen === true ? 2 : 0]]);
  });

  it('the others still refuse', async () => {
    const open = { rule: { failOpen: true }, check: () => failed };
    expect(await outcome(serviceOf(open, { check: () => verdict(7) }))).toMatch(/^403/);
    expect(await outcome(serviceOf({ check: () => failed }, { check: () => verdict(7) }))).toMatch(/^403/);
  });

  it('is asked again for the next request', async () => {
    let asked = 0;
    const service = serviceOf({ rule: { failOpen: true }, check: () => (asked++, failed) });
    await ask(service);
    await ask(service);
    expect(asked).toBe(2);
  });
});

describe('remembered verdicts', () => {
  it('spare the adapter, also one that answers later, until they end', async () => {
    let asked = 0;
    const service = serviceOf({ check: () => (asked++, later(verdict(7, { validMs: 1000 }))), reads: ['source.ip'] });
    expect(await outcome(service)).toMatch(/^403/);
    expect(await outcome(service)).toMatch(/^403/);
    expect(asked).toBe(1);
    await ask(service, checkRequest({ from: '10.0.0.77' }));
    expect(asked).toBe(2);
    now += 1000;
    await ask(service);
    expect(asked).toBe(3);
    expect(await counted('mixer_checkcache_cache_hits_total')).toEqual([[1]]);
    expect(await counted('mixer_checkcache_cache_misses_total')).toEqual([[3]]);
  });
});

it('remembers nothing of another version of the rules', async () => {
  let asked = 0;
  const service = serviceOf({ check: () => (asked++, verdict(0, { validMs: 60_000 })) });
  await ask(service);
  await ask(service);
  expect(asked).toBe(1);
  changePolicy();
  await ask(service);
  expect(asked).toBe(2);
});

describe('headers', () => {
  const value = (text: string | undefined) => () => text;
  const operation = (kind: HeaderOperation['operation'], name: string, ...values: (string | undefined)[]) =>
    ({ operation: kind, name, values: values.map(value) }) as HeaderOperation;

  it('are changed where the request may go on', async () => {
    const rule: Partial<PolicyRule> = {
      requestHeaders: [
        operation('REPLACE', 'x-user', 'anna'),
        operation('APPEND', 'x-via', 'a', 'b'),
        operation('REMOVE', 'x-secret'),
        operation('REPLACE', 'x-none', undefined, ''),
      ],
      responseHeaders: [operation('REPLACE', 'x-answer', '1'), operation('APPEND', 'set-cookie', 'c=1')],
    };
    const { httpResponse } = await ask(serviceOf({ rule, check: () => verdict(0) }));
    if (httpResponse.case !== 'okResponse') throw new Error('refused');
    const { headers, headersToRemove, responseHeadersToAdd } = httpResponse.value;
    const short = (all: typeof headers) =>
      // eslint-disable-next-line @typescript-eslint/no-deprecated
      all.map(({ header, append }) => [header?.key, header?.value, append]);
    expect(short(headers)).toEqual([
      ['x-user', 'anna', false],
      ['x-via', 'a', true],
      ['x-via', 'b', true],
    ]);
    expect(headersToRemove).toEqual(['x-secret']);
    expect(short(responseHeadersToAdd)).toEqual([
      ['x-answer', '1', false],
      ['set-cookie', 'c=1', true],
    ]);
    expect(await outcome(serviceOf({ rule, check: () => verdict(7) }))).toMatch(/^403/);
  });

  it('may have what the adapter of a named action of the same rule gave', async () => {
    const fromOutput: HeaderOperation = {
      operation: 'REPLACE',
      name: 'x-value',
      values: [(_, outputs) => outputs.get('kv')?.get('value') as string | undefined],
    };
    const output = (text: string): Outcome<CheckVerdict> =>
      verdict(0, { validMs: 1000, output: new Map<string, Value>([['value', text]]) });
    const rule = (): Partial<PolicyRule> => ({ requestHeaders: [fromOutput] });
    const service = serviceOf(
      { rule: rule(), action: 'kv', check: () => output('one') },
      { rule: rule(), action: 'kv', check: () => output('two') },
    );
    for (let i = 0; i < 2; i++) {
      const { httpResponse } = await ask(service);
      expect(httpResponse.case === 'okResponse' && httpResponse.value.headers.map((one) => one.header?.value)).toEqual([
        'one',
        'two',
      ]);
    }
  });
});

describe('a question that gets no answer', () => {
  it('is one that is none', () => {
    expect(() => serviceOf().check(Buffer.from('nonsense'), undefined)).toThrow(
      expect.objectContaining({ code: GrpcStatus.INVALID_ARGUMENT }),
    );
  });

  it('is one before there is a policy', () => {
    const service = new CheckService({
      policy: () => undefined,
      directory: () => directory,
      dispatcher: {} as Dispatcher,
      metrics,
      now: () => now,
    });
    expect(() => service.check(checkRequest(), undefined)).toThrow(
      expect.objectContaining({ code: GrpcStatus.UNAVAILABLE }),
    );
  });
});

it('counts decisions by what came of them', async () => {
  const service = serviceOf({ check: () => verdict(7) });
  await ask(service);
  await ask(service);
  expect(await counted('mixer_check_decisions_total')).toEqual([['PERMISSION_DENIED', 2]]);
});
