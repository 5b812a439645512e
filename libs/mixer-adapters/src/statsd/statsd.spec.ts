import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { InstanceTypes, Templates, Value, ValueType } from '@seine/mixer';
import { makeAdapter, problemsOf, TestContext, testRim } from '../testing/adapter.fixture.js';
import { UdpServer } from '../testing/udp-server.fixture.js';
import { statsd } from './statsd.js';

const types = (value: ValueType): InstanceTypes => ({
  template: 'metric',
  value,
  maps: {
    dimensions: new Map<string, ValueType>([
      ['apiMethod', 'STRING'],
      ['responseCode', 'INT64'],
    ]),
  },
});
const instances = { count: types('INT64'), latency: types('DURATION'), size: types('DOUBLE') };
const metric = (instance: string, value: Value, apiMethod = 'get'): Templates['metric'] => ({
  instance,
  value,
  dimensions: new Map<string, Value>([
    ['apiMethod', apiMethod],
    ['responseCode', 200],
  ]),
  monitoredResourceType: '',
  monitoredResourceDimensions: new Map(),
});
const metrics = {
  count: { type: 'COUNTER', name_template: '{{.apiMethod}}-{{ .responseCode }}' },
  latency: { type: 'DISTRIBUTION' },
  size: { type: 2 },
};

describe('statsd', () => {
  let server: UdpServer;
  beforeEach(async () => {
    server = await UdpServer.listen();
  });
  afterEach(() => server.close());

  const made = async (params: object = {}, rim = testRim()) => {
    const context = new TestContext({ instances });
    const adapter = await makeAdapter(statsd(rim), { address: server.address, metrics, ...params }, context);
    return { adapter, context };
  };

  it('sends several metrics in a packet when it is time', async () => {
    const { adapter, context } = await made({ prefix: 'mesh' });
    await adapter.metric!([metric('count', 3), metric('latency', 12.345678), metric('size', 0.5)]);
    await adapter.metric!([metric('size', -2), metric('unknown', 1), metric('count', NaN)]);
    expect(context.timers.map(({ ms }) => ms)).toEqual([300]);
    await context.pass(300);
    expect(await server.received(1)).toEqual([
      'mesh.get-200:3|c\nmesh.latency:12.345678|ms\nmesh.size:0.5|g\nmesh.size:0|g\nmesh.size:-2|g',
    ]);
    await adapter.close?.();
  });

  it('sends no packet larger than flushBytes', async () => {
    const { adapter } = await made({ flushBytes: 60 });
    await adapter.metric!(Array.from({ length: 20 }, (_, i) => metric('latency', i)));
    await adapter.close?.();
    const lines = 20;
    while (server.packets.join('\n').split('\n').length < lines) await server.received(server.packets.length + 1);
    expect(server.packets.length).toBeGreaterThan(4);
    expect(Math.max(...server.packets.map(({ length }) => length))).toBeLessThanOrEqual(60);
  });

  it('a dimension cannot write another metric', async () => {
    const { adapter } = await made({ flushDuration: '0s' });
    await adapter.metric!([metric('count', 1, 'x:9|c\nother:1|c#@')]);
    expect(await server.received(1)).toEqual(['x_9_c_other_1_c__-200:1|c']);
    await adapter.close?.();
  });

  it('samples, and says how much', async () => {
    const draws = [0.05, 0.5, 0.09, 0.1];
    const rim = testRim({ random: () => draws.shift() ?? 1 });
    const { adapter } = await made({ sampling_rate: 0.1 }, rim);
    for (let i = 0; i < 4; i++) await adapter.metric!([metric('count', i)]);
    await adapter.close?.();
    expect(await server.received(1)).toEqual(['get-200:0|c|@0.1\nget-200:2|c|@0.1']);
  });

  it('says once that nothing can be sent', async () => {
    const { adapter, context } = await made({ address: 'nobody.invalid:8125', flushDuration: '0s' });
    await adapter.metric!([metric('count', 1)]);
    await adapter.metric!([metric('count', 1)]);
    await adapter.close?.();
    expect(context.warnings).toEqual([expect.stringMatching(/^cannot send to nobody\.invalid:8125: .*lost$/)]);
  });

  it.each([
    ['an address that is none', { address: 'localhost' }, 'address'],
    ['a metric of no type', { metrics: { count: {} } }, 'metrics[count].type'],
    [
      'a template with more than dimensions',
      { metrics: { count: { type: 'COUNTER', nameTemplate: '{{if .a}}b{{end}}' } } },
      'metrics[count].nameTemplate',
    ],
    ['a rate above 1', { samplingRate: 2 }, 'samplingRate'],
  ])('refuses %s', (_, params, path) => {
    expect(problemsOf(statsd(testRim()), params)).toMatchObject([{ path }]);
  });
});
