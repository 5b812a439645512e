import { describe, expect, it } from '@jest/globals';
import { formatFieldPath, type PathStep, stepsOfPointer } from './field-path.js';

describe('formatFieldPath', () => {
  it.each<[readonly PathStep[], string]>([
    [['spec', 'http', 0, 'route', 1, 'weight'], 'spec.http[0].route[1].weight'],
    [['metadata', 'labels', 'app.kubernetes.io/name'], 'metadata.labels["app.kubernetes.io/name"]'],
    [['spec', 'headers', 'end-user', 'exact'], 'spec.headers.end-user.exact'],
    [['a"b'], '["a\\"b"]'],
    [[], ''],
  ])('%j', (steps, path) => {
    expect(formatFieldPath(steps)).toBe(path);
  });
});

describe('stepsOfPointer', () => {
  it.each<[string, unknown, readonly PathStep[]]>([
    ['/spec/http/0', { spec: { http: [{}] } }, ['spec', 'http', 0]],
    ['/spec/ports/80', { spec: { ports: { 80: {} } } }, ['spec', 'ports', '80']],
    ['/labels/a~1b~0c', { labels: { 'a/b~c': 1 } }, ['labels', 'a/b~c']],
    ['', {}, []],
  ])('%s', (pointer, value, steps) => {
    expect(stepsOfPointer(pointer, value)).toEqual(steps);
  });
});
