import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { PrincipalSchema } from '@seine/envoy/envoy/config/rbac/v3/rbac_pb.js';
import { mixerVocabulary } from '@seine/mixer';
import { aWorkload, reviewsService } from './destination.fixture.js';
import { always, and, atom, type Formula, isImpossible, never, not, or, toPrincipal } from './formula.js';
import { declaredPort, workloadConstants } from './inbound-plan.js';
import type { ProxyView } from './proxy-view.js';
import { translateCondition } from './translate.js';

const view: ProxyView = {
  vocabulary: mixerVocabulary,
  protocol: 'http',
  constants: new Map([
    ...workloadConstants(aWorkload()),
    ...declaredPort(8080, reviewsService.host, reviewsService).constants,
  ]),
  derived: new Set(),
  foreignCertificates: false,
};

const shown = (formula: Formula) => toEnvoyJson(PrincipalSchema, create(PrincipalSchema, toPrincipal(formula)));
const header = (name: string, match: object) => ({ header: { name, string_match: match } });

describe('translateCondition', () => {
  it.each([
    ['true'],
    ['destination.labels["app"] == "reviews"'],
    ['destination.labels["none"] | "x" == "x" || destination.namespace == "default"'],
    ['destination.port < 9000 && destination.service.name.startsWith("rev")'],
    ['context.reporter.kind == "inbound"'],
    ['context.protocol != "tcp"'],
    ['"x" in request.headers || destination.workload.name == "reviews-v1"'],
  ])('%s always holds', (text) => {
    expect(
      translateCondition(text.replace('destination.labels["none"] | "x"', '(destination.labels["none"] | "x")'), view)
        .holds,
    ).toEqual({ least: always, most: always });
  });

  it.each([
    ['destination.labels["app"] == "ratings" && source.labels["version"] == "v3"'],
    ['destination.labels["none"] == "x"'],
    ['destination.labels["none"] != "x"'],
    ['context.protocol == "tcp"'],
    ['destination.service.host == "ratings.default.svc.cluster.local"'],
  ])('%s never holds', (text) => {
    expect(translateCondition(text, view).holds).toEqual({ least: never, most: never });
  });

  it.each([
    ['request.method == "GET"', header(':method', { exact: 'GET' })],
    ['match(request.headers["cookie"], "user=*")', header('cookie', { prefix: 'user=' })],
    ['match(request.path, "*.jpg")', header(':path', { suffix: '.jpg' })],
    ['destination.namespace == "default" && request.host == "a"', header(':authority', { exact: 'a' })],
    ['request.url_path.startsWith("/a")', { url_path: { path: { prefix: '/a' } } }],
    ['source.ip == ip("10.0.0.1")', { direct_remote_ip: { address_prefix: '10.0.0.1', prefix_len: 32 } }],
    [
      'source.principal == "cluster.local/ns/a/sa/b"',
      { authenticated: { principal_name: { exact: 'spiffe://cluster.local/ns/a/sa/b' } } },
    ],
  ])('%s is judged by the proxy', (text, expected) => {
    const { holds, unknown } = translateCondition(text, view);
    expect(holds.least).toEqual(holds.most);
    // That a header is there, its value says.
    const { and_ids: both } = shown(holds.least) as { readonly and_ids?: { readonly ids: readonly object[] } };
    expect(both?.ids.at(-1) ?? shown(holds.least)).toEqual(expected);
    expect(unknown).toEqual([]);
  });

  it.each([
    ['source.labels["version"] == "v3"', 'source.labels["version"] is looked up by mixer'],
    ['request.headers["X-User"] == "a"', "nothing that Envoy's RBAC can look at"],
    ['request.headers["host"] == "a"', "nothing that Envoy's RBAC can look at"],
    ['request.path.matches("^/a+$")', "matches is nothing that Envoy's RBAC can do"],
    ['request.size > 10', "> is nothing that Envoy's RBAC can do"],
    ['request.headers["a"] == request.headers["b"]', 'both of the request'],
    ['request.query_params["a"] == "b"', "nothing that Envoy's RBAC can look at"],
  ])('%s is left to mixer', (text, why) => {
    const { holds, unknown } = translateCondition(text, view);
    expect(holds.least).toBe(never);
    expect(unknown.join()).toContain(why);
  });

  it('narrows what mixer is asked of', () => {
    const { holds } = translateCondition('request.method == "PUT" && source.labels["app"] == "a"', view);
    expect([holds.least, shown(holds.most)]).toEqual([never, header(':method', { exact: 'PUT' })]);
  });

  it('knows nothing of certificates where others than those of the mesh come in', () => {
    const { holds, unknown } = translateCondition('connection.mtls', { ...view, foreignCertificates: true });
    expect([holds.least, holds.most]).toEqual([never, always]);
    expect(unknown).toEqual(["connection.mtls may be of a certificate that is not the mesh's"]);
  });

  it('knows of connections that requests have nothing to say there', () => {
    const tcp: ProxyView = { ...view, protocol: 'tcp', constants: new Map([['context.protocol', 'tcp']]) };
    expect(translateCondition('request.method == "GET" || context.protocol == "http"', tcp).holds.most).toBe(never);
  });

  it('leaves what mixer makes of other attributes to it, where it is not there by itself', () => {
    const derived: ProxyView = { ...view, derived: new Set(['source.ip', 'destination.labels', 'destination.owner']) };
    expect(translateCondition('destination.labels["app"] == "reviews"', derived).holds.least).toBe(always);
    expect(translateCondition('source.ip == ip("10.0.0.1")', derived).unknown).toEqual([]);
    const without = { ...derived, constants: new Map<string, undefined>([['destination.owner', undefined]]) };
    expect(translateCondition('destination.owner == "a"', without).holds.most).toBe(always);
  });
});

describe('isImpossible', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) =>
    atom({
      identifier: { case: 'header', value: { name, headerMatchSpecifier: { case: 'presentMatch', value: true } } },
    }),
  ) as [Formula, Formula, Formula];

  it.each([
    ['a and not a', and(a, not(a))],
    ['a, b, and not both', and(a, b, not(and(a, b)))],
    ['neither, and one of them', and(or(a, b), not(a), not(b))],
    ['what is left of a list', and(not(and(a, b)), not(or(and(a, not(b)), not(a))))],
  ])('%s', (_, formula) => {
    expect(isImpossible(formula)).toBe(true);
  });

  it.each([
    ['a', a],
    ['a or not b', or(a, not(b))],
    ['a, and b or c', and(a, or(b, c), not(b))],
  ])('not: %s', (_, formula) => {
    expect(isImpossible(formula)).toBe(false);
  });

  it('gives up on formulas that are too large', () => {
    const many = Array.from({ length: 40 }, (_, i) =>
      atom({ identifier: { case: 'header', value: { name: `x-${i}` } } }),
    );
    const pairs = many.flatMap((one, i) => (i % 2 === 0 ? [or(one, many[i + 1]!)] : []));
    expect(isImpossible(and(...pairs, not(and(...pairs.map((pair) => or(pair, a))))))).toBe(false);
  });
});
