import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Templates, Value } from '@seine/mixer';
import { makeAdapter, problemsOf, TestContext, testRim } from '../testing/adapter.fixture.js';
import { UdpServer } from '../testing/udp-server.fixture.js';
import { dogstatsd } from './dogstatsd.js';

const instances = {
  latency: { template: 'metric', value: 'DURATION', maps: { dimensions: new Map([['path', 'STRING'] as const]) } },
  size: { template: 'metric', value: 'INT64', maps: { dimensions: new Map([['path', 'STRING'] as const]) } },
} as const;
const metric = (instance: string, value: Value, path = '/'): Templates['metric'] => ({
  instance,
  value,
  dimensions: new Map([['path', path]]),
  monitoredResourceType: '',
  monitoredResourceDimensions: new Map(),
});
const metrics = {
  latency: { name: 'request.latency', type: 'DISTRIBUTION', tags: { kind: 'http' } },
  size: { type: 'DISTRIBUTION' },
};

describe('dogstatsd', () => {
  let server: UdpServer;
  beforeEach(async () => {
    server = await UdpServer.listen();
  });
  afterEach(() => server.close());

  const made = async (params: object = {}) => {
    const context = new TestContext({ instances });
    const adapter = await makeAdapter(dogstatsd(testRim()), { address: server.address, metrics, ...params }, context);
    return { adapter, context };
  };

  it('sends each metric with its dimensions as tags', async () => {
    const { adapter } = await made({ globalTags: { mesh: 'prod' } });
    await adapter.metric!([metric('latency', 12.5, '/a b,c|d:e'), metric('unknown', 1), metric('size', 7)]);
    expect(await server.received(2)).toEqual([
      'istio.request.latency:12.5|ms|#mesh:prod,kind:http,path:/a_b_c_d:e',
      'istio.size:7|h|#mesh:prod,path:/',
    ]);
    await adapter.close?.();
  });

  it('buffers', async () => {
    const { adapter, context } = await made({ bufferLength: 2, prefix: '' });
    await adapter.metric!([metric('size', 1), metric('size', 2), metric('size', 3)]);
    expect(await server.received(1)).toEqual(['size:1|h|#path:/\nsize:2|h|#path:/']);
    await context.pass(100);
    expect((await server.received(2))[1]).toBe('size:3|h|#path:/');
    await adapter.close?.();
  });

  it('refuses a metric of no type', () => {
    expect(problemsOf(dogstatsd(testRim()), { metrics: { a: {} } })).toMatchObject([{ path: 'metrics[a].type' }]);
  });
});
