import { describe, expect, it } from '@jest/globals';
import { resolveKind } from './resolve-kind.js';

describe('resolveKind', () => {
  it.each([
    ['VirtualService', 'VirtualService', 'networking.istio.io'],
    ['virtualservices', 'VirtualService', 'networking.istio.io'],
    ['VS', 'VirtualService', 'networking.istio.io'],
    ['virtualservice.networking.istio.io', 'VirtualService', 'networking.istio.io'],
    ['gw', 'Gateway', 'networking.istio.io'],
    ['gateways.gateway.networking.k8s.io', 'Gateway', 'gateway.networking.k8s.io'],
    ['gateway', 'Gateway', 'networking.istio.io'],
    ['svc', 'Service', ''],
  ])('%s', (word, kind, group) => {
    expect(resolveKind(word)).toMatchObject({ kind, group });
  });

  it.each([
    ['virtualservise', 'there is no kind virtualservise; did you mean virtualservice?'],
    ['unheard-of', /^there is no kind unheard-of$/],
  ])('%s is refused', (word, message) => {
    expect(() => resolveKind(word)).toThrow(message);
  });
});
