import { describe, expect, it } from '@jest/globals';
import { planLoopback } from '../loopback/plan-loopback.js';
import { renderSummary, type Summary } from './summary.js';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'reviews-v1-6d-x', namespace: 'default', labels: { version: 'v1', 'pod-template-hash': '6d' } },
  spec: { containers: [{ ports: [{ containerPort: 9080 }] }] },
  status: { podIP: '127.20.3.1' },
};
const summary: Summary = {
  workloads: planLoopback([pod], { wholeLoopback: true, isFree: () => true }).workloads,
  urls: { ingress: 'http://127.0.0.1:8080', xds: 'http://127.0.0.1:15010' },
  envoy: '1.40.0 (/cache/envoy)',
  config: 'examples/bookinfo/config',
  sample: true,
  stateDir: '/state',
  seconds: 2.34,
};

describe('the summary', () => {
  it('says what runs where', () => {
    const lines = renderSummary(summary)
      .split('\n')
      .map((line) => line.split(/ {2,}/).filter((cell) => cell !== ''));
    expect(lines).toContainEqual(['reviews-v1', 'v1', '127.20.3.1:9080', '127.0.0.1:19100', '127.0.0.1:15100']);
    expect(lines).toContainEqual(['xds', 'http://127.0.0.1:15010']);
  });

  it.each([
    ['with the sample', summary, true],
    ['without it', { ...summary, sample: false, workloads: [] }, false],
  ])('%s offers what can be tried', (_what, given, sample) => {
    const text = renderSummary(given);
    expect(text.includes('curl -s http://127.0.0.1:8080/api/v1/products/0/reviews')).toBe(sample);
    expect(text).toContain('npx seinectl apply -f FILE');
    expect(text).toContain('Ctrl-C');
  });

  it('leaves no blanks at the ends of lines', () => {
    expect(renderSummary(summary)).not.toMatch(/ $/m);
  });
});
