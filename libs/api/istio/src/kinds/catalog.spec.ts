import { describe, expect, it } from '@jest/globals';
import { mixerKinds, oldMixerKinds } from '../mixer/kinds.js';
import { findKind, findKinds, isNamespaced, kindInfo, kinds } from './catalog.js';

describe('kindInfo', () => {
  it.each([
    ['networking.istio.io/v1', 'VirtualService', 'virtualservices'],
    ['networking.istio.io/v1alpha3', 'ServiceEntry', 'serviceentries'],
    ['security.istio.io/v1beta1', 'AuthorizationPolicy', 'authorizationpolicies'],
    ['telemetry.istio.io/v1', 'Telemetry', 'telemetries'],
    ['gateway.networking.k8s.io/v1', 'HTTPRoute', 'httproutes'],
    ['v1', 'Service', 'services'],
    // The version is not looked at: whoever writes a wrong one should be told which are right.
    ['networking.istio.io/v9', 'Gateway', 'gateways'],
  ])('knows %s %s as %s', (apiVersion, kind, plural) => {
    expect(kindInfo(apiVersion, kind)?.plural).toBe(plural);
  });

  it.each([
    ['networking.istio.io/v1', 'Service'],
    ['example.com/v1', 'Gateway'],
    ['', ''],
  ])('does not know %s %s', (apiVersion, kind) => {
    expect(kindInfo(apiVersion, kind)).toBeUndefined();
  });
});

describe('findKind', () => {
  it.each([
    ['VirtualService', 'networking.istio.io', 'VirtualService'],
    ['virtualservices', 'networking.istio.io', 'VirtualService'],
    ['VS', 'networking.istio.io', 'VirtualService'],
    ['gateway', 'networking.istio.io', 'Gateway'],
    ['gateways.gateway.networking.k8s.io', 'gateway.networking.k8s.io', 'Gateway'],
    ['svc', '', 'Service'],
    ['authorizationpolicy.security.istio.io', 'security.istio.io', 'AuthorizationPolicy'],
  ])('%s', (word, group, kind) => {
    expect(findKind(word)).toMatchObject({ group, kind });
  });

  it('finds nothing for a word that no kind has', () => {
    expect(findKind('virtualservise')).toBeUndefined();
  });

  it('finds all kinds of a name', () => {
    expect(findKinds('gateways').map((info) => info.group)).toEqual([
      'networking.istio.io',
      'gateway.networking.k8s.io',
    ]);
  });
});

describe('isNamespaced', () => {
  it.each([
    ['networking.istio.io/v1', 'VirtualService', true],
    ['v1', 'Namespace', false],
    ['gateway.networking.k8s.io/v1', 'GatewayClass', false],
    ['rbac.authorization.k8s.io/v1', 'ClusterRole', false],
    ['example.com/v1', 'Anything', true],
  ])('%s %s: %s', (apiVersion, kind, expected) => {
    expect(isNamespaced(apiVersion, kind)).toBe(expected);
  });
});

describe('the catalog', () => {
  it('has each kind of a group once', () => {
    const names = kinds.map(({ group, kind }) => `${group}/${kind}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('stores each kind in one version', () => {
    for (const { versions } of kinds) expect(versions.filter((version) => version.storage)).toHaveLength(1);
  });

  it('has all kinds of Istio, with the versions that Istio serves', () => {
    const istio = kinds.filter(({ group, schema }) => group.endsWith('.istio.io') && schema);
    expect(istio.map(({ kind, versions }) => `${kind} ${versions.map(({ name }) => name).join(' ')}`)).toEqual([
      'VirtualService v1 v1beta1 v1alpha3',
      'DestinationRule v1 v1beta1 v1alpha3',
      'Gateway v1 v1beta1 v1alpha3',
      'ServiceEntry v1 v1beta1 v1alpha3',
      'WorkloadEntry v1 v1beta1 v1alpha3',
      'Sidecar v1 v1beta1 v1alpha3',
      'WorkloadGroup v1 v1beta1 v1alpha3',
      'EnvoyFilter v1alpha3',
      'ProxyConfig v1beta1',
      'PeerAuthentication v1 v1beta1',
      'RequestAuthentication v1 v1beta1',
      'AuthorizationPolicy v1 v1beta1',
      'Telemetry v1 v1alpha1',
      'WasmPlugin v1alpha1',
      'TrafficExtension v1alpha1',
      'Policy v1alpha1',
      'MeshPolicy v1alpha1',
      'ClusterRbacConfig v1alpha1',
      'RbacConfig v1alpha1',
      'ServiceRole v1alpha1',
      'ServiceRoleBinding v1alpha1',
      ...[...mixerKinds, ...oldMixerKinds].map(({ kind }) => `${kind} v1alpha2`),
    ]);
  });
});
