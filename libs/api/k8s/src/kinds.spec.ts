import { describe, expect, it } from '@jest/globals';
import { isClusterScopedElsewhere, isLeftAlone, k8sKinds } from './kinds.js';

const find = (kind: string) => k8sKinds.find((info) => info.kind === kind);

describe('k8sKinds', () => {
  it.each([
    ['Service', 'services', true],
    ['Endpoints', 'endpoints', true],
    ['Ingress', 'ingresses', true],
    ['NetworkPolicy', 'networkpolicies', true],
    ['IPAddress', 'ipaddresses', false],
    ['Namespace', 'namespaces', false],
    ['Node', 'nodes', false],
  ])('%s is called %s in the plural, namespaced: %s', (kind, plural, namespaced) => {
    expect(find(kind)).toMatchObject({ plural, namespaced });
  });

  it('stores each kind in one version', () => {
    for (const { versions } of k8sKinds) expect(versions.filter((version) => version.storage)).toHaveLength(1);
  });

  it('acts on the kinds that it has fields of, and no others', () => {
    for (const { schema, actedOn } of k8sKinds) expect(actedOn).toBe(schema !== undefined);
  });

  it('has no kind twice', () => {
    const names = k8sKinds.map(({ group, kind }) => `${group}/${kind}`);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('kinds that are left alone', () => {
  it.each([
    ['batch', true],
    ['rbac.authorization.k8s.io', true],
    ['', false],
    ['apps', false],
    ['gateway.networking.k8s.io', false],
  ])('group "%s": %s', (group, expected) => {
    expect(isLeftAlone(group)).toBe(expected);
  });

  it.each([
    ['ClusterRole', true],
    ['Role', false],
  ])('%s stands outside namespaces: %s', (kind, expected) => {
    expect(isClusterScopedElsewhere(kind)).toBe(expected);
  });
});
