import { describe, expect, it } from '@jest/globals';
import type { StoredObject } from '../client/config-api.js';
import { objectName, objectTable } from './object-rows.js';

const stored: StoredObject = {
  object: {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'reviews', namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { hosts: ['reviews'], gateways: undefined },
  },
  origin: 'applied',
  shadowed: ['file:/mesh/reviews.yaml'],
};
const now = Date.parse('2026-01-01T00:05:00Z');

const text = (name: string, jsonPath: string) => ({ name, type: 'string' as const, jsonPath });
const age = { name: 'Age', type: 'date' as const, jsonPath: '.metadata.creationTimestamp' };

describe('objectTable', () => {
  it.each([
    [
      'columns in their order',
      [text('Hosts', '.spec.hosts'), age, text('Host', '.spec.hosts.0.x')],
      false,
      false,
      ['NAME', 'HOSTS', 'AGE', 'HOST'],
      ['reviews', '["reviews"]', '5m', ''],
    ],
    ['no columns', [], true, false, ['NAMESPACE', 'NAME', 'AGE'], ['default', 'reviews', '5m']],
    [
      'wide',
      [age],
      false,
      true,
      ['NAME', 'AGE', 'ORIGIN', 'SHADOWED'],
      ['reviews', '5m', 'applied', 'file:/mesh/reviews.yaml'],
    ],
    [
      'an unknown age',
      [{ ...age, jsonPath: '.spec.nothing' }],
      false,
      false,
      ['NAME', 'AGE'],
      ['reviews', '<unknown>'],
    ],
  ])('%s', (_case, columns, withNamespace, wide, header, cells) => {
    expect(objectTable([stored], { columns, withNamespace, wide, now })).toEqual({ header, rows: [{ cells }] });
  });
});

describe('objectName', () => {
  it.each([
    ['VirtualService', 'networking.istio.io', 'virtualservice.networking.istio.io/a'],
    ['Service', '', 'service/a'],
  ])('%s of %s', (kind, group, text) => {
    expect(objectName(kind, group, 'a')).toBe(text);
  });
});
