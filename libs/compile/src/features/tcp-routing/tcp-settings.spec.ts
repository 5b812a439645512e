import { describe, expect, it } from '@jest/globals';
import type { DestinationRule } from '@seine/istio';
import { defaultMeshConfig } from '@seine/model';
import { tcpRuleOf, tcpSettings } from './tcp-settings.js';

const rule = (spec: Partial<DestinationRule['spec']>): DestinationRule => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { namespace: 'default', name: 'db' },
  spec: { host: 'db', ...spec },
});
const tunnel = { targetHost: 'db.example.com', targetPort: 443 };
const idle = (idleTimeout: string) => ({ connectionPool: { tcp: { idleTimeout, maxConnections: 3 } } });

describe('tcpRuleOf', () => {
  it.each<[string, DestinationRule]>([
    ['nothing', rule({})],
    ['what clusters read', rule({ trafficPolicy: { connectionPool: { tcp: { maxConnections: 1 } } } })],
    ['a hash that TCP has not', rule({ trafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: 'a' } } } })],
  ])('is undefined for %s', (_what, one) => {
    expect(tcpRuleOf(one)).toBeUndefined();
  });

  it.each<[string, Partial<DestinationRule['spec']>]>([
    ['idle time', { trafficPolicy: idle('1s') }],
    ['an idle time of never', { trafficPolicy: idle('0s') }],
    ['a port', { trafficPolicy: { portLevelSettings: [{ port: { number: 1 }, ...idle('1s') }] } }],
    ['a subset', { subsets: [{ name: 'v1', trafficPolicy: { tunnel } }] }],
    ['the source address', { trafficPolicy: { loadBalancer: { consistentHash: { useSourceIp: true } } } }],
  ])('says the same as the rule: %s', (_what, spec) => {
    const whole = rule(spec);
    const own = tcpRuleOf(whole);
    expect(own).toBeDefined();
    for (const subset of [undefined, 'v1', 'v2'])
      for (const port of [1, 2])
        expect(tcpSettings({ rule: own }, subset, port, defaultMeshConfig)).toEqual(
          tcpSettings({ rule: whole }, subset, port, defaultMeshConfig),
        );
  });

  it('keeps that a port replaces what the destination says', () => {
    const portLevelSettings = [{ port: { number: 1 }, loadBalancer: { simple: 'RANDOM' as const } }];
    const own = tcpRuleOf(rule({ trafficPolicy: { ...idle('1s'), portLevelSettings } }));
    expect(tcpSettings({ rule: own }, undefined, 1, defaultMeshConfig).idleTimeout).toBeUndefined();
    expect(tcpSettings({ rule: own }, undefined, 2, defaultMeshConfig).idleTimeout).toBe('1s');
  });

  it('is the same object for rules that differ in what listeners do not read', () => {
    const labelled = (version: string) =>
      rule({ trafficPolicy: idle('1s'), subsets: [{ name: 'v1', labels: { version } }] });
    expect(tcpRuleOf(labelled('a'))).toBe(tcpRuleOf(labelled('b')));
  });
});

it('takes what no rule says from the mesh', () => {
  const mesh = { ...defaultMeshConfig, defaultTrafficPolicy: idle('9s') };
  expect(tcpSettings(undefined, undefined, 1, mesh).idleTimeout).toBe('9s');
});
