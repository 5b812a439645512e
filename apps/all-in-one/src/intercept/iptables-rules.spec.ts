import { describe, expect, it } from '@jest/globals';
import { iptablesRules } from './iptables-rules.js';
import { inPod } from './namespace-scripts.js';

const lines = iptablesRules().split('\n');
const positions = (...texts: string[]): number[] =>
  texts.map((text) => {
    const at = lines.findIndex((line) => line.includes(text));
    if (at < 0) throw new Error(`no rule has ${text}`);
    return at;
  });

describe('the rules', () => {
  it('are one table that iptables-restore takes', () => {
    expect([lines[0], lines.at(-2), lines.at(-1)]).toEqual(['*nat', 'COMMIT', '']);
    const made = lines.filter((line) => line.startsWith(':')).map((line) => line.slice(1).split(' ')[0]);
    const used = lines.flatMap((line) => /-j (ISTIO_\w+)/.exec(line)?.[1] ?? []);
    expect(new Set(used)).toEqual(new Set(made));
  });

  it.each([
    ['Envoy’s own DNS before the redirection', ['--dport 53 -m owner --uid-owner 1337 -j RETURN', '--to-ports 15053']],
    [
      'Envoy’s own calls before the redirection',
      ['-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN', '-A ISTIO_OUTPUT -j ISTIO_REDIRECT'],
    ],
    [
      'calls to itself before Envoy’s others',
      ['--uid-owner 1337 -j ISTIO_IN_REDIRECT', '-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN'],
    ],
    [
      'Envoy’s way to the application first of all',
      ['-s 127.0.0.6/32 -o lo -j RETURN', '--uid-owner 1337 -j ISTIO_IN_REDIRECT'],
    ],
    ['its own ports before the rest', ['--dport 15090 -j RETURN', '-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT']],
  ])('have %s', (_what, [first = '', second = '']) => {
    const [a = 0, b = 0] = positions(first, second);
    expect(a).toBeLessThan(b);
  });
});

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
