import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { normalizeObject } from '@seine/istio';
import type { ConfigObject } from '@seine/k8s';
import {
  type AdapterKind,
  type AttributeBag,
  compilePolicy,
  PolicyRuntime,
  RuleDispatcher,
  type Value,
} from '@seine/mixer';
import { adapterKinds } from '@seine/mixer-adapters';
import { parseAllDocuments } from 'yaml';
import { serve } from '../../../../examples/mixer-adapter/src/api-keys.js';
import { loadAdapters } from './load-adapters.js';

const example = path.resolve(import.meta.dirname, '../../../../examples/mixer-adapter');

function read(name: string, change: (text: string) => string = (text) => text): readonly ConfigObject[] {
  const text = readFileSync(path.join(example, 'config', name), 'utf8');
  return parseAllDocuments(change(text)).map((document) => normalizeObject(document.toJS() as ConfigObject));
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** Rules at work as mixer has them. */
function running(objects: readonly ConfigObject[], adapters: readonly AdapterKind[], now: () => number = Date.now) {
  const policy = compilePolicy(objects, { adapters });
  expect(policy.problems).toEqual([]);
  const later = (run: () => void, ms: number) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  };
  const runtime = new PolicyRuntime(policy, { adapters, rim: { now, later }, timeoutMs: 10_000 });
  ends.push(() => runtime.close());
  const dispatcher = new RuleDispatcher({ rootNamespace: 'istio-system', now, random: () => 0 });
  return async (attributes: Readonly<Record<string, Value>>) => {
    const bag: AttributeBag = { get: (name) => attributes[name] };
    const [dispatch] = dispatcher.resolveCheck(policy, bag);
    const outcome = dispatch && (await runtime.check(dispatch, bag));
    return { outcome, rules: dispatcher.rules(policy, bag), bag };
  };
}

describe('business-hours, loaded by --adapter', () => {
  const load = () => loadAdapters([path.join(example, 'src/business-hours.ts')]);
  const outside = { 'request.headers': new Map([['x-from', 'outside']]) };

  it.each([
    ['07:59', 7],
    ['08:00', 0],
    ['17:59', 0],
    ['18:00', 7],
  ])('at %s answers %d, until the next hour', async (time, code) => {
    const at = Date.parse(`2024-01-02T${time}:00Z`);
    const ask = running(read('business-hours.yaml'), [...adapterKinds, ...(await load())], () => at);
    const { outcome } = await ask(outside);
    expect(outcome?.verdict).toMatchObject({ code, validMs: time.endsWith('59') ? 60_000 : 3_600_000 });
    if (code !== 0) expect(outcome?.verdict?.message).toBe('closed until 8:00 UTC');
  });

  it('is not asked of others', async () => {
    const ask = running(read('business-hours.yaml'), await load());
    expect((await ask({ 'request.headers': new Map() })).outcome).toBeUndefined();
  });

  it('parameters that are wrong are said of the handler', async () => {
    const objects = read('business-hours.yaml', (text) => text.replace('close: 18', 'close: 3'));
    const { problems } = compilePolicy(objects, { adapters: await load() });
    expect(problems[0]).toMatchObject({
      path: 'spec.params.close',
      message: expect.stringContaining('later than open'),
    });
  });
});

describe('api-keys, a process of its own', () => {
  it('answers over gRPC, and tells a header of the request whose key it is', async () => {
    const { port, stop } = await serve('127.0.0.1:0');
    ends.push(stop);
    const ask = running(
      read('api-keys.yaml', (text) =>
        text.replace('127.0.0.1:9070\n    timeout: 1s', `127.0.0.1:${port}\n    timeout: 10s`),
      ),
      adapterKinds,
    );
    const request = (key: string) => ({
      'context.protocol': 'http',
      'request.headers': new Map([['x-api-key', key]]),
      'request.time': 0,
    });
    const known = await ask(request('k-2'));
    expect(known.outcome?.verdict).toMatchObject({ code: 0, validMs: 10_000 });
    const outputs = new Map([['keys', known.outcome?.verdict?.output ?? new Map<string, Value>()]]);
    expect(known.rules[0]?.requestHeaders[0]?.values.map((value) => value(known.bag, outputs))).toEqual(['green']);
    expect((await ask(request('k-3'))).outcome?.verdict).toMatchObject({ code: 16, message: 'no such API key' });
  });
});
