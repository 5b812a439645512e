import { expect, it } from '@jest/globals';
import type { Value, ValueType } from '@seine/mixer';
import { anyValue, nanoseconds, signalUrl } from './otlp.js';

it.each<[Value, ValueType, unknown]>([
  ['a', 'STRING', { stringValue: 'a' }],
  [true, 'BOOL', { boolValue: true }],
  [7, 'INT64', { intValue: '7' }],
  [7, 'DOUBLE', { doubleValue: 7 }],
  [0.5, 'DOUBLE', { doubleValue: 0.5 }],
  [NaN, 'DOUBLE', { stringValue: 'NaN' }],
  [1500, 'DURATION', { stringValue: '1.5s' }],
  [0, 'TIMESTAMP', { stringValue: '1970-01-01T00:00:00.000Z' }],
  [new Map([['a', 'b']]), 'STRING_MAP', { kvlistValue: { values: [{ key: 'a', value: { stringValue: 'b' } }] } }],
])('%p of %s', (value, type, expected) => {
  expect(anyValue(value, type)).toEqual(expected);
});

it('nanoseconds lose nothing', () => {
  expect(nanoseconds(1_537_044_396_009.25)).toBe('1537044396009250000');
});

it.each([
  ['http://collector:4318', 'http://collector:4318/v1/logs'],
  ['http://collector:4318/', 'http://collector:4318/v1/logs'],
  ['https://vendor.example/otlp/logs?x=1', 'https://vendor.example/otlp/logs?x=1'],
])('%s is asked at %s', (endpoint, url) => {
  expect(signalUrl(endpoint, '/v1/logs')).toBe(url);
});
