import { describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import type { Adapter, AdapterContext, AdapterKind } from '../adapters/adapter.js';
import { RuleDispatcher } from '../dispatch/dispatcher.js';
import { compilePolicy } from '../policy/compile-policy.js';
import type { CheckDispatch, MixerPolicy, QuotaDispatch, ReportDispatch } from '../policy/policy.js';
import { bagOf, fakeAdapter, mixerObject } from '../testing/objects.js';
import { settled, TestRim } from '../testing/test-rim.js';
import { PolicyRuntime } from './policy-runtime.js';
import type { RuntimeEvents } from './rim.js';

const dispatcher = new RuleDispatcher({ rootNamespace: 'istio-system', now: () => 0, random: () => 0 });
const bag = bagOf({ 'source.name': 'ann' });

const instances = [
  mixerObject('checknothing', 'nothing', null),
  mixerObject('listentry', 'entry', { value: 'source.name' }),
  mixerObject('logentry', 'log', { severity: 'source.name' }),
  mixerObject('quota', 'count', {}),
];

function rules(handler: string, params: object = {}): readonly ConfigObject[] {
  return [
    ...instances,
    mixerObject('handler', handler, { compiledAdapter: handler, params }),
    mixerObject('rule', handler, {
      actions: [{ handler, instances: ['nothing.checknothing', 'entry.listentry', 'log.logentry', 'count.quota'] }],
    }),
  ];
}

type Make = (params: unknown, context: AdapterContext) => Adapter | Promise<Adapter>;

function kind(name: string, make: Make): AdapterKind {
  return fakeAdapter(name, ['checknothing', 'listentry', 'logentry', 'quota'], { make });
}

interface Started {
  readonly runtime: PolicyRuntime;
  readonly rim: TestRim;
  readonly counted: string[];
  readonly apply: (...objects: readonly ConfigObject[]) => void;
  readonly check: (handler?: string, template?: string) => ReturnType<PolicyRuntime['check']>;
  readonly report: (times?: number) => void;
}

function start(kinds: readonly AdapterKind[], objects: readonly ConfigObject[] = rules('a')): Started {
  const rim = new TestRim();
  const counted: string[] = [];
  const events: RuntimeEvents = {
    dispatched: (handler, _adapter, ms, failure) => counted.push(`${handler} ${failure ? 'failed' : 'ok'} ${ms}`),
    dropped: (handler, _adapter, count) => counted.push(`${handler} dropped ${count}`),
    noValue: (instance) => counted.push(`${instance} without value`),
    handlerMade: (handler, _adapter, ok) => counted.push(`${handler} ${ok ? 'made' : 'not made'}`),
    handlerClosed: (handler) => counted.push(`${handler} closed`),
    warned: (handler, message) => counted.push(`${handler} warned ${message}`),
  };
  const compile = (all: readonly ConfigObject[], previous?: MixerPolicy): MixerPolicy =>
    compilePolicy(all, { adapters: kinds, previous });
  const runtime = new PolicyRuntime(compile(objects), { adapters: kinds, rim, events });
  const find = (handler: string, template: string): CheckDispatch => {
    const found = dispatcher
      .resolveCheck(runtime.policy, bag)
      .find((one) => one.handler.adapter === handler && one.instance.template === template);
    if (!found) throw new Error('there is no such dispatch');
    return found;
  };
  return {
    runtime,
    rim,
    counted,
    apply: (...all) => runtime.apply(compile(all, runtime.policy)),
    check: (handler = 'a', template = 'checknothing') => runtime.check(find(handler, template), bag),
    report: (times = 1) => {
      const [dispatch] = dispatcher.resolveReport(runtime.policy, bag) as readonly [ReportDispatch];
      for (let i = 0; i < times; i++) runtime.report(dispatch, bag);
    },
  };
}

const reasonOf = async (outcome: ReturnType<PolicyRuntime['check']>): Promise<string | undefined> =>
  (await outcome).failure?.reason;

const never = (): Promise<never> => new Promise(() => undefined);

describe('a check', () => {
  it('is answered at once where the adapter answers at once', async () => {
    const { check, rim, counted } = start([
      kind('a', () => ({
        checknothing: () => ({ code: 7, message: 'no' }),
        listentry: ({ value }) => ({ code: 0, message: value }),
      })),
    ]);
    await rim.pass(0);
    expect(check()).toEqual({ verdict: { code: 7, message: 'no' } });
    expect(check('a', 'listentry')).toEqual({ verdict: { code: 0, message: 'ann' } });
    expect(counted.slice(1)).toEqual(['a.handler.istio-system ok 0', 'a.handler.istio-system ok 0']);
  });

  it('waits for a handler that is being made', async () => {
    let made: ((adapter: Adapter) => void) | undefined;
    const { check, rim } = start([kind('a', () => new Promise<Adapter>((resolve) => (made = resolve)))]);
    const answer = check();
    await rim.pass(100);
    made?.({ checknothing: () => ({ code: 0 }) });
    expect(await answer).toEqual({ verdict: { code: 0 } });
  });

  it.each<readonly [what: string, adapter: Adapter, reason: string]>([
    [
      'throws',
      {
        checknothing: () => {
          throw new Error('broken');
        },
      },
      'error',
    ],
    ['rejects', { checknothing: () => Promise.reject(new Error('broken')) }, 'error'],
    ['hangs', { checknothing: never }, 'timeout'],
    ['gives nothing', { checknothing: () => undefined as never }, 'nonsense'],
    ['gives no code', { checknothing: () => ({ code: 'OK' }) as never }, 'nonsense'],
    ['gives a code that there is not', { checknothing: () => ({ code: 403 }) }, 'nonsense'],
    ['gives a validity before now', { checknothing: () => ({ code: 0, validMs: -1 }) }, 'nonsense'],
    ['gives a validity that is no number', { checknothing: () => ({ code: 0, validMs: NaN }) }, 'nonsense'],
    ['gives outputs that are none', { checknothing: () => ({ code: 0, output: {} as never }) }, 'nonsense'],
    ['does not take the template', {}, 'nonsense'],
  ])('is a failure where the adapter %s', async (_, adapter, reason) => {
    const { check, rim, counted } = start(
      [kind('a', () => adapter), kind('b', () => ({ checknothing: () => ({ code: 0 }) }))],
      [...rules('a'), ...rules('b')],
    );
    await rim.pass(0);
    const answer = check();
    await rim.pass(500);
    expect(await reasonOf(answer)).toBe(reason);
    expect(counted.filter((line) => line.includes('a.handler') && line.includes('failed'))).toHaveLength(1);
    // Others do not notice.
    expect(check('b')).toEqual({ verdict: { code: 0 } });
  });

  it('cuts what the client is told', async () => {
    const { check, rim } = start([
      kind('a', () => ({ checknothing: () => ({ code: 7, message: 'x'.repeat(1_000_000) }) })),
    ]);
    await rim.pass(0);
    expect((await check()).verdict?.message).toHaveLength(1024);
  });

  it('waits as long as its rule says', async () => {
    const [rule] = rules('a').slice(-1) as [ConfigObject];
    const annotations = { 'policy.seine.dev/timeout': '50ms' };
    const objects = [...rules('a').slice(0, -1), { ...rule, metadata: { ...rule.metadata, annotations } }];
    const { check, rim } = start([kind('a', () => ({ checknothing: never }))], objects);
    await rim.pass(0);
    const answer = check();
    await rim.pass(50);
    expect((await answer).failure?.message).toContain('50 ms');
  });

  it('is a failure where an expression has no value', async () => {
    const { runtime, rim, counted } = start([kind('a', () => ({ listentry: () => ({ code: 0 }) }))]);
    await rim.pass(0);
    const [, entry] = dispatcher.resolveCheck(runtime.policy, bag) as readonly [CheckDispatch, CheckDispatch];
    expect(await reasonOf(runtime.check(entry, bagOf({})))).toBe('no-value');
    expect(counted).toContain('entry.listentry.istio-system without value');
  });
});

describe('a handler that hangs', () => {
  it('holds up nobody for long: it is not asked until one request has found it back', async () => {
    let hangs = true;
    let asked = 0;
    const { check, rim, runtime } = start([
      kind('a', () => ({
        checknothing: () => {
          asked++;
          return hangs ? never() : Promise.resolve({ code: 0 });
        },
      })),
    ]);
    await rim.pass(0);
    for (let i = 0; i < 5; i++) {
      const answer = check();
      await rim.pass(500);
      expect(await reasonOf(answer)).toBe('timeout');
    }
    expect(runtime.status[0]?.state).toBe('overload');
    expect(await reasonOf(check())).toBe('overload');
    expect(asked).toBe(5);
    await rim.pass(1000);
    const probe = check();
    expect(await reasonOf(check())).toBe('overload');
    await rim.pass(500);
    expect(await reasonOf(probe)).toBe('timeout');
    hangs = false;
    await rim.pass(1000);
    expect(await check()).toEqual({ verdict: { code: 0 } });
    expect(await check()).toEqual({ verdict: { code: 0 } });
    expect(runtime.status[0]?.state).toBe('ready');
  });

  it('lets a thousand requests wait at most', async () => {
    const { check, rim } = start([kind('a', () => ({ checknothing: never }))]);
    await rim.pass(0);
    const waiting = Array.from({ length: 1000 }, () => check());
    expect(await reasonOf(check())).toBe('overload');
    await rim.pass(500);
    expect(new Set(await Promise.all(waiting.map(reasonOf)))).toEqual(new Set(['timeout']));
  });
});

describe('a quota', () => {
  it.each([
    [{ granted: 2, validMs: 5 }, { verdict: { granted: 2, validMs: 5 } }],
    [{ granted: 0 }, { verdict: { granted: 0 } }],
    [{ granted: 1000 }, { verdict: { granted: 3 } }],
    [{ granted: -1 }, 'nonsense'],
    [{ granted: NaN }, 'nonsense'],
    [{}, 'nonsense'],
    [7, 'nonsense'],
  ])('%j', async (answer, expected) => {
    const { runtime, rim } = start([kind('a', () => ({ quota: () => answer as never }))]);
    await rim.pass(0);
    const [rule] = runtime.policy.rules;
    const [action] = rule?.actions ?? [];
    const instance = action?.instances.find(({ template }) => template === 'quota');
    if (!rule || !action || !instance) throw new Error('there is no quota');
    const dispatch = { rule, action, handler: action.handler, instance, amount: 3 } as unknown as QuotaDispatch;
    const outcome = await runtime.quota(dispatch, bag, { amount: 3, bestEffort: false });
    if (typeof expected === 'string') expect(outcome.failure?.reason).toBe(expected);
    else expect(outcome).toEqual(expected);
  });
});

describe('handlers', () => {
  const counting = (log: string[]): AdapterKind =>
    kind('a', (params, { handler }) => {
      const { name } = params as { readonly name?: string };
      log.push(`make ${handler} ${name}`);
      if (name === 'bad') throw new Error('cannot connect');
      return { checknothing: () => ({ code: 0, message: name ?? '' }), close: () => void log.push(`close ${name}`) };
    });

  it('are made anew when their parameters change, and not when others do', async () => {
    const log: string[] = [];
    const { apply, check, rim } = start([counting(log)], rules('a', { name: 'one' }));
    await rim.pass(0);
    apply(...rules('a', { name: 'one' }), mixerObject('listentry', 'more', { value: '"x"' }));
    await rim.pass(0);
    expect(log).toEqual(['make a.handler.istio-system one']);
    apply(...rules('a', { name: 'two' }));
    await rim.pass(0);
    expect(log.slice(1)).toEqual(['make a.handler.istio-system two', 'close one']);
    expect(check()).toEqual({ verdict: { code: 0, message: 'two' } });
  });

  it('stay what they were where the new one cannot be made, until it can', async () => {
    const log: string[] = [];
    const { apply, check, rim, runtime } = start([counting(log)], rules('a', { name: 'one' }));
    await rim.pass(0);
    apply(...rules('a', { name: 'bad' }));
    await rim.pass(0);
    expect(runtime.status).toMatchObject([{ state: 'stale', message: 'cannot be made: cannot connect' }]);
    expect(check()).toEqual({ verdict: { code: 0, message: 'one' } });
    await rim.pass(1000);
    expect(log.filter((line) => line.endsWith('bad'))).toHaveLength(2);
    await rim.pass(2000);
    expect(log.filter((line) => line.endsWith('bad'))).toHaveLength(3);
    apply(...rules('a', { name: 'two' }));
    await rim.pass(0);
    expect(runtime.status).toMatchObject([{ state: 'ready', message: undefined }]);
    expect(log.slice(-2)).toEqual(['make a.handler.istio-system two', 'close one']);
    await rim.pass(60_000);
    expect(log.filter((line) => line.endsWith('bad'))).toHaveLength(3);
  });

  it('are a failure where they never could be made', async () => {
    const { check, rim, runtime } = start([counting([])], rules('a', { name: 'bad' }));
    await rim.pass(0);
    expect(runtime.status[0]?.state).toBe('failed');
    expect(await reasonOf(check())).toBe('no-handler');
  });

  it('are given up after a while of being made, and let go when they come late', async () => {
    let closed = 0;
    let made: ((adapter: Adapter) => void) | undefined;
    const { rim, runtime } = start([kind('a', () => new Promise<Adapter>((resolve) => (made = resolve)))]);
    await rim.pass(10_000);
    expect(runtime.status[0]).toMatchObject({
      state: 'failed',
      message: 'cannot be made: was not ready within 10000 ms',
    });
    made?.({
      close: () => {
        closed++;
      },
    });
    await settled();
    expect(closed).toBe(1);
  });

  it('are closed after those who asked them are answered', async () => {
    let answer: ((verdict: { code: number }) => void) | undefined;
    const log: string[] = [];
    const { apply, check, rim } = start([
      kind('a', () => ({
        checknothing: () => new Promise((resolve) => (answer = resolve)),
        close: () => void log.push('closed'),
      })),
    ]);
    await rim.pass(0);
    const waiting = check();
    apply();
    await rim.pass(100);
    expect(log).toEqual([]);
    answer?.({ code: 0 });
    expect(await waiting).toEqual({ verdict: { code: 0 } });
    await rim.pass(0);
    expect(log).toEqual(['closed']);
  });

  it('are let go where they do not end', async () => {
    const { apply, counted, rim } = start([kind('a', () => ({ close: never }))]);
    await rim.pass(0);
    apply();
    await rim.pass(10_000);
    expect(counted).toContain('a.handler.istio-system warned cannot be closed: did not end within 10000 ms');
    expect(rim.timers).toBe(0);
  });

  it('run what they want to run again and again, also after it has failed, until they are closed', async () => {
    let runs = 0;
    const { apply, counted, rim } = start([
      kind('a', (_, { every }) => {
        every(1000, () => {
          runs++;
          if (runs === 2) throw new Error('no list');
        });
        return {};
      }),
    ]);
    await rim.pass(3500);
    expect(runs).toBe(3);
    expect(counted).toContain('a.handler.istio-system warned no list');
    apply();
    await rim.pass(10_000);
    expect(runs).toBe(3);
    expect(rim.timers).toBe(0);
  });
});

describe('reports', () => {
  it('are handed over together, in order, soon after', async () => {
    const batches: number[] = [];
    const { rim, report } = start([kind('a', () => ({ logentry: (list) => void batches.push(list.length) }))]);
    await rim.pass(0);
    report(3);
    expect(batches).toEqual([]);
    await rim.pass(100);
    expect(batches).toEqual([3]);
    report(2500);
    expect(batches).toEqual([3, 1000, 1000]);
    await rim.pass(100);
    expect(batches).toEqual([3, 1000, 1000, 500]);
  });

  it('wait for an adapter that is slow up to a bound, and beyond it are dropped and counted', async () => {
    const done: (() => void)[] = [];
    let taken = 0;
    const { rim, report, counted } = start([
      kind('a', () => ({
        logentry: (list) => {
          taken += list.length;
          return new Promise<void>((resolve) => done.push(resolve));
        },
      })),
    ]);
    await rim.pass(0);
    report(4000 + 10_000 + 7);
    expect(taken).toBe(4000);
    expect(counted.filter((line) => line.endsWith('dropped 1'))).toHaveLength(7);
    for (let i = 0; i < 20; i++) {
      done.splice(0).forEach((resolve) => resolve());
      await settled();
    }
    expect(taken).toBe(14_000);
  });

  it('are dropped and counted where the adapter fails', async () => {
    const { rim, report, counted } = start([
      kind('a', () => ({ logentry: () => Promise.reject(new Error('disk full')) })),
    ]);
    await rim.pass(0);
    report(5);
    await rim.pass(100);
    expect(counted).toContain('a.handler.istio-system dropped 5');
  });

  it('are handed over before a handler is closed', async () => {
    const log: string[] = [];
    const { rim, report, runtime } = start([
      kind('a', () => ({
        logentry: async (list) => {
          await settled();
          log.push(`took ${list.length}`);
        },
        close: () => void log.push('closed'),
      })),
    ]);
    await rim.pass(0);
    report(5);
    await runtime.close();
    expect(log).toEqual(['took 5', 'closed']);
  });
});
