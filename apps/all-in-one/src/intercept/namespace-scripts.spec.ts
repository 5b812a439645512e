import { describe, expect, it } from '@jest/globals';
import { inPod } from './namespace-scripts.js';

describe('the script of a pod', () => {
  const pod = { address: '10.203.0.11', files: [["/etc/it's", '/a b']] as const, rulesFile: '/rules' };

  it.each([
    [true, 1],
    [false, 0],
  ])('with interception %s loads the rules %i times', (intercept, times) => {
    expect(inPod({ ...pod, intercept }).split("iptables-restore '/rules'").length - 1).toBe(times);
  });

  it('quotes paths', () => {
    expect(inPod({ ...pod, intercept: false })).toContain(`mount --bind '/a b' '/etc/it'\\''s'`);
  });
});
