import { expect, it } from '@jest/globals';
import { formatLogName, type LogHead, parseLogName } from './log-head.js';

const head: LogHead = {
  reporter: 'inbound',
  purposes: ['graph', 'metrics'],
  columns: ['source_workload', 'response_code'],
  metrics: [{ names: ['requests_total'], labels: [0, 1] }],
};

it('reads what it has written', () => {
  expect(parseLogName(formatLogName(head))).toEqual(head);
});

it.each([
  ['http_envoy_accesslog', 'another log'],
  ['mixer', 'nothing'],
  ['mixer {', 'what is no JSON'],
  ['mixer null', 'null'],
  [formatLogName({ ...head, reporter: 'both' as 'inbound' }), 'another reporter'],
  [formatLogName({ ...head, columns: [1 as unknown as string] }), 'columns without names'],
  [formatLogName({ ...head, columns: Array.from({ length: 300 }, String) }), 'more columns than there may be'],
  [formatLogName({ ...head, metrics: [{ names: ['x'], labels: [2] }] }), 'a label of no column'],
  [formatLogName({ ...head, metrics: [{ names: ['x'], labels: [-1] }] }), 'a label of no column'],
  [formatLogName({ ...head, metrics: [null as never] }), 'metrics that are none'],
  [formatLogName({ ...head, purposes: 'graph' as never }), 'no list'],
])('takes %s for no name of its own: it is of %s', (name) => {
  expect(parseLogName(name)).toBeUndefined();
});
