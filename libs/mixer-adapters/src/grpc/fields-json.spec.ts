import { expect, it } from '@jest/globals';
import type { Value } from '@seine/mixer';
import { fieldsJson } from './fields-json.js';

it('a log entry', () => {
  const variables = new Map<string, Value>([
    ['latency', 13.601485],
    ['at', 0],
    ['code', 200],
    ['headers', new Map([['a', 'b']])],
  ]);
  const entry = {
    instance: 'log.logentry.default',
    severity: 'info',
    timestamp: Date.UTC(2018, 8, 15),
    variables,
    monitoredResourceType: '',
    monitoredResourceDimensions: new Map(),
  };
  const types = {
    template: 'logentry',
    maps: {
      variables: new Map([
        ['latency', 'DURATION'],
        ['at', 'TIMESTAMP'],
        ['code', 'INT64'],
        ['headers', 'STRING_MAP'],
      ] as const),
    },
  } as const;
  expect(JSON.parse(fieldsJson(entry, types))).toEqual({
    severity: 'info',
    timestamp: '2018-09-15T00:00:00.000Z',
    variables: { latency: '0.013601485s', at: '1970-01-01T00:00:00.000Z', code: 200, headers: { a: 'b' } },
    monitoredResourceType: '',
    monitoredResourceDimensions: {},
  });
});

it('a metric, its value a duration', () => {
  const metric = {
    instance: 'm',
    value: 1500,
    dimensions: new Map(),
    monitoredResourceType: '',
    monitoredResourceDimensions: new Map(),
  };
  expect(JSON.parse(fieldsJson(metric, { template: 'metric', value: 'DURATION', maps: {} }))).toMatchObject({
    value: '1.5s',
  });
});

it('an authorization, with maps inside', () => {
  const authorization = {
    instance: 'a',
    subject: { user: 'u', groups: '', properties: new Map([['age', 60_000]]) },
    action: { namespace: '', service: 's', method: '', path: '', properties: new Map() },
  };
  const maps = { 'subject.properties': new Map([['age', 'DURATION'] as const]) };
  expect(JSON.parse(fieldsJson(authorization, { template: 'authorization', maps }))).toEqual({
    subject: { user: 'u', groups: '', properties: { age: '60s' } },
    action: { namespace: '', service: 's', method: '', path: '', properties: {} },
  });
});
