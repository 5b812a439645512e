import { describe, expect, it } from '@jest/globals';
import { validateObject } from '../validation/validate-object.js';
import { readProxyConfigAnnotation } from './proxy-config-annotation.js';

const read = (text: string) => {
  const { settings, diagnostics } = readProxyConfigAnnotation(text, 'p');
  return [settings, diagnostics.map(({ severity, message, path }) => `${severity} ${path} ${message}`)] as const;
};

describe('readProxyConfigAnnotation', () => {
  it.each([
    ['concurrency: 4\nproxyMetadata:\n  A: b\n', { concurrency: 4, proxyMetadata: { A: 'b' } }],
    ['{ "proxy_metadata": { "A": "b" }, "concurrency": "3" }', { concurrency: 3, proxyMetadata: { A: 'b' } }],
    ['', {}],
  ])('%s', (text, expected) => {
    expect(read(text)).toEqual([expected, []]);
  });

  it.each([
    ['concurrency: many', /^error p concurrency: Got string "many"/],
    ['[1', /^error p The annotation is not YAML/],
    ['just text', /^error p The annotation should be an object/],
    ['tracing: { sampling: 5 }', /^warning p Seine does not act on tracing/],
    ['concurency: 4', /^warning p concurency: There is no field "concurency".*Did you mean concurrency/],
  ])('%s: told', (text, message) => {
    expect(read(text)[1]).toEqual([expect.stringMatching(message)]);
  });
});

it('is validated with the pod, which stays good', () => {
  const annotations = { 'proxy.istio.io/config': 'concurrency: many' };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', namespace: 'default', annotations },
    spec: { containers: [{ name: 'a' }] },
  };
  expect(validateObject(pod)).toEqual([
    expect.objectContaining({ severity: 'warning', path: 'metadata.annotations["proxy.istio.io/config"]' }),
  ]);
});
