import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { RouteMatchSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { HTTPMatchRequest } from '@seine/istio';
import type { RouteClient } from '../../inputs.js';
import { emitRouteMatch, isCatchAll } from './emit-route-match.js';
import { concernsClient } from './source-match.js';

const emitted = (match: HTTPMatchRequest | undefined): unknown => toEnvoyJson(RouteMatchSchema, emitRouteMatch(match));
const claimKey = (key: string): unknown => ({ key });

describe('emitRouteMatch', () => {
  it.each<[string, HTTPMatchRequest | undefined, object]>([
    ['no match', undefined, { prefix: '/' }],
    ['an empty match', {}, { prefix: '/', case_sensitive: true }],
    ['uri exact', { uri: { exact: '/a' } }, { path: '/a', case_sensitive: true }],
    ['uri prefix', { uri: { prefix: '/a' }, ignoreUriCase: true }, { prefix: '/a', case_sensitive: false }],
    ['uri regex', { uri: { regex: '/a.*' } }, { safe_regex: { regex: '/a.*' }, case_sensitive: true }],
    ['uri regex *', { uri: { regex: '*' } }, { prefix: '/', case_sensitive: true }],
    [
      'headers, sorted',
      { headers: { 'x-b': { prefix: 'p' }, 'x-a': { exact: '' }, 'x-c': { regex: 'r+' } } },
      {
        prefix: '/',
        case_sensitive: true,
        headers: [
          { name: 'x-a', string_match: { exact: '' } },
          { name: 'x-b', string_match: { prefix: 'p' } },
          { name: 'x-c', string_match: { safe_regex: { regex: 'r+' } } },
        ],
      },
    ],
    [
      'a header that must be there',
      { headers: { 'x-a': {}, 'x-b': { regex: '*' } } },
      {
        prefix: '/',
        case_sensitive: true,
        headers: [
          { name: 'x-a', present_match: true },
          { name: 'x-b', present_match: true },
        ],
      },
    ],
    [
      'withoutHeaders',
      { withoutHeaders: { 'x-a': {}, 'x-b': { exact: 'v' } } },
      {
        prefix: '/',
        case_sensitive: true,
        headers: [
          { name: 'x-a', present_match: true, invert_match: true },
          { name: 'x-b', string_match: { exact: 'v' }, invert_match: true, treat_missing_header_as_empty: true },
        ],
      },
    ],
    [
      'method, authority, scheme',
      { method: { exact: 'GET' }, authority: { prefix: 'a.' }, scheme: { exact: 'https' } },
      {
        prefix: '/',
        case_sensitive: true,
        headers: [
          { name: ':method', string_match: { exact: 'GET' } },
          { name: ':authority', string_match: { prefix: 'a.' } },
          { name: ':scheme', string_match: { exact: 'https' } },
        ],
      },
    ],
    [
      'queryParams',
      { queryParams: { b: { regex: '\\d+' }, a: {} } },
      {
        prefix: '/',
        case_sensitive: true,
        query_parameters: [
          { name: 'a', present_match: true },
          { name: 'b', string_match: { safe_regex: { regex: '\\d+' } } },
        ],
      },
    ],
    [
      'claims',
      {
        headers: { '@request.auth.claims[a.b][c]': { exact: 'v' } },
        withoutHeaders: { '@request.auth.claims.sub': {} },
      },
      {
        prefix: '/',
        case_sensitive: true,
        dynamic_metadata: [
          {
            filter: 'envoy.filters.http.jwt_authn',
            path: ['payload', 'a.b', 'c'].map(claimKey),
            value: {
              or_match: {
                value_matchers: [
                  { string_match: { exact: 'v' } },
                  { list_match: { one_of: { string_match: { exact: 'v' } } } },
                ],
              },
            },
          },
          {
            filter: 'envoy.filters.http.jwt_authn',
            path: ['payload', 'sub'].map(claimKey),
            value: { present_match: true },
            invert: true,
          },
        ],
      },
    ],
  ])('%s', (_, match, expected) => {
    expect(emitted(match)).toEqual(expected);
  });
});

describe('isCatchAll', () => {
  it.each<[HTTPMatchRequest | undefined, boolean]>([
    [undefined, true],
    [{ uri: { prefix: '/' } }, true],
    [{ uri: { regex: '.*' } }, true],
    [{ uri: { prefix: '/a' } }, false],
    [{ uri: { exact: '/' } }, false],
    [{ headers: { a: {} } }, false],
    [{ queryParams: { a: {} } }, false],
    [{ headers: { '@request.auth.claims.sub': {} } }, false],
    [{ method: { exact: 'GET' } }, false],
  ])('%p: %p', (match, expected) => {
    expect(isCatchAll(emitRouteMatch(match))).toBe(expected);
  });
});

describe('concernsClient', () => {
  const sidecar: RouteClient = { gateway: 'mesh', namespace: 'default', labels: { app: 'ratings', version: 'v1' } };
  const gateway: RouteClient = { gateway: 'default/my-gw', namespace: 'istio-system', labels: {} };

  it.each<[string, HTTPMatchRequest | undefined, RouteClient, boolean]>([
    ['no match', undefined, sidecar, true],
    ['its port', { port: 9080 }, sidecar, true],
    ['another port', { port: 80 }, sidecar, false],
    ['its labels', { sourceLabels: { app: 'ratings' } }, sidecar, true],
    ['another label value', { sourceLabels: { app: 'ratings', version: 'v2' } }, sidecar, false],
    ['a label it has not', { sourceLabels: { team: 'a' } }, sidecar, false],
    ['its namespace', { sourceNamespace: 'default' }, sidecar, true],
    ['another namespace', { sourceNamespace: 'prod' }, sidecar, false],
    ['mesh by name', { gateways: ['mesh'] }, sidecar, true],
    ['mesh by name and its labels', { gateways: ['mesh'], sourceLabels: { app: 'x' } }, sidecar, false],
    ['a gateway only', { gateways: ['my-gw'] }, sidecar, false],
    ['the gateway, bare', { gateways: ['my-gw'] }, gateway, true],
    ['the gateway, ./', { gateways: ['./my-gw'] }, gateway, true],
    ['the gateway, ns/', { gateways: ['default/my-gw'] }, gateway, true],
    ['the gateway, old form', { gateways: ['my-gw.default.svc.cluster.local'] }, gateway, true],
    ['a gateway of another namespace', { gateways: ['prod/my-gw'] }, gateway, false],
    ['the gateway, whatever the labels', { gateways: ['my-gw', 'mesh'], sourceLabels: { app: 'x' } }, gateway, true],
    ['labels at a gateway', { sourceLabels: { app: 'x' } }, gateway, false],
  ])('%s', (_, match, client, expected) => {
    expect(concernsClient(match, client, 9080, 'default')).toBe(expected);
  });
});
