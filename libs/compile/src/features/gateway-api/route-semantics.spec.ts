import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import {
  RedirectActionSchema,
  RouteActionSchema,
  RouteMatchSchema,
} from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { VirtualService } from '@seine/istio';
import {
  bySegments,
  notFoundCode,
  redirectBySegments,
  rewriteBySegments,
  type RouteSemantics,
  routeSemanticsOf,
} from './route-semantics.js';

const match = (prefix: string, semantics: RouteSemantics) =>
  bySegments(create(RouteMatchSchema, { pathSpecifier: { case: 'prefix', value: prefix } }), semantics);

it.each([
  [undefined, 'istio'],
  ['gateway', 'gateway'],
  ['ingress', 'ingress'],
  ['other', 'istio'],
])('the annotation %p means semantics %s', (annotation, expected) => {
  const annotations = annotation === undefined ? {} : { 'internal.istio.io/route-semantics': annotation };
  const metadata = { name: 'a', namespace: 'b', annotations };
  expect(routeSemanticsOf({ metadata } as unknown as VirtualService)).toBe(expected);
});

describe('prefixes', () => {
  it.each<[string, RouteSemantics, object]>([
    ['/shop', 'istio', { prefix: '/shop' }],
    ['/shop', 'gateway', { path_separated_prefix: '/shop' }],
    ['/shop/', 'ingress', { path_separated_prefix: '/shop' }],
    ['/', 'gateway', { prefix: '/' }],
  ])('%s with semantics %s', (prefix, semantics, expected) => {
    expect(toEnvoyJson(RouteMatchSchema, match(prefix, semantics))).toEqual(expected);
  });

  it('leaves exact paths as they are', () => {
    const exact = create(RouteMatchSchema, { pathSpecifier: { case: 'path', value: '/shop' } });
    expect(toEnvoyJson(RouteMatchSchema, bySegments(exact, 'gateway'))).toEqual({ path: '/shop' });
  });
});

describe('what comes in their place', () => {
  it.each<[string, string, RouteSemantics, object]>([
    ['/old', '/new', 'istio', { prefix_rewrite: '/new' }],
    ['/old', '/', 'ingress', { prefix_rewrite: '/' }],
    ['/old', '/new', 'gateway', { prefix_rewrite: '/new' }],
    ['/old.v1', '/', 'gateway', { regex_rewrite: { pattern: { regex: '^/old\\.v1(/?)(.*)' }, substitution: '/\\2' } }],
    ['/', '/new', 'gateway', { prefix_rewrite: '/new/' }],
  ])('of %s, %s with semantics %s', (prefix, prefixRewrite, semantics, expected) => {
    const rewritten = rewriteBySegments({ prefixRewrite }, match(prefix, semantics), semantics);
    expect(toEnvoyJson(RouteActionSchema, create(RouteActionSchema, rewritten))).toEqual(expected);
    const redirect = create(RedirectActionSchema, {
      pathRewriteSpecifier: { case: 'prefixRewrite', value: prefixRewrite },
    });
    expect(
      toEnvoyJson(RedirectActionSchema, redirectBySegments(redirect, match(prefix, semantics), semantics)),
    ).toEqual(expected);
  });
});

it('answers 500 for clusters that are not there, with semantics gateway only', () => {
  expect(toEnvoyJson(RouteActionSchema, create(RouteActionSchema, notFoundCode('gateway')))).toEqual({
    cluster_not_found_response_code: 'INTERNAL_SERVER_ERROR',
  });
  expect(notFoundCode('ingress')).toEqual({});
});
