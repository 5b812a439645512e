import { describe, expect, it } from '@jest/globals';
import type { DestinationRuleSpec } from '@seine/istio';
import { type ConfigObject, objectKey } from '@seine/k8s';
import type { Condition } from './condition.js';
import { translateGatewayApi } from './translate.js';

const options = { clusterDomain: 'cluster.local', now: '2026-01-01T00:00:00Z' };

function an(kind: string, name: string, spec: object, more: object = {}): ConfigObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind,
    metadata: { name, namespace: 'default', ...more },
    spec,
  };
}
const service: ConfigObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { ports: [{ name: 'http', port: 80 }] },
};

describe('BackendTLSPolicy', () => {
  const policy = (name: string, hostname: string, more: object = {}, metadata: object = {}) =>
    an(
      'BackendTLSPolicy',
      name,
      {
        targetRefs: [{ group: '', kind: 'Service', name: 'web', ...more }],
        validation: { hostname, wellKnownCACertificates: 'System' },
      },
      metadata,
    );
  const rules = (...objects: readonly ConfigObject[]) =>
    translateGatewayApi([service, ...objects], options)
      .objects.filter(({ kind }) => kind === 'DestinationRule')
      .map(({ spec }) => spec as DestinationRuleSpec);
  const accepted = (object: ConfigObject, ...others: readonly ConfigObject[]) => {
    const { statuses } = translateGatewayApi([service, object, ...others], options);
    const { ancestors } = statuses.get(objectKey(object)) as { ancestors: { conditions: Condition[] }[] };
    return ancestors[0]?.conditions.find(({ type }) => type === 'Accepted')?.reason;
  };

  it('is for a Service, or one of its ports', () => {
    const tls = { mode: 'SIMPLE', sni: 'a.com', subjectAltNames: ['a.com'] };
    expect(rules(policy('a', 'a.com'))).toEqual([{ host: 'web.default.svc.cluster.local', trafficPolicy: { tls } }]);
    expect(rules(policy('a', 'a.com', { sectionName: 'http' }))).toEqual([
      { host: 'web.default.svc.cluster.local', trafficPolicy: { portLevelSettings: [{ port: { number: 80 }, tls }] } },
    ]);
    expect(accepted(policy('a', 'a.com', { sectionName: 'lost' }))).toBe('TargetNotFound');
  });

  it('gives way to an older one', () => {
    const [old, young] = [
      policy('old', 'old.com', {}, { creationTimestamp: '2025-01-01T00:00:00Z' }),
      policy('young', 'young.com', {}, { creationTimestamp: '2026-01-01T00:00:00Z' }),
    ];
    expect([accepted(old, young), accepted(young, old)]).toEqual(['Accepted', 'Conflicted']);
    expect(rules(young, old)).toMatchObject([{ trafficPolicy: { tls: { sni: 'old.com' } } }]);
  });

  it('lets nothing out where the certificates to trust are not there', () => {
    const lost = an('BackendTLSPolicy', 'a', {
      targetRefs: [{ group: '', kind: 'Service', name: 'web' }],
      validation: { hostname: 'a.com', caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'lost' }] },
    });
    expect(rules(lost)).toMatchObject([{ trafficPolicy: { tls: { credentialName: 'invalid://' } } }]);
    expect(accepted(lost)).toBe('NoValidCACertificate');
  });
});
