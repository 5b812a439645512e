import { describe, expect, it } from '@jest/globals';
import { create, toJson } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { envoyRegistry } from '@seine/envoy';
import type { CorsPolicy } from '@seine/istio';
import { emitCorsPolicy } from './emit-cors-policy.js';

const emitted = (policy: CorsPolicy | undefined): unknown => {
  const any = emitCorsPolicy(policy);
  return any && toJson(AnySchema, create(AnySchema, any), { registry: envoyRegistry(), useProtoFieldName: true });
};
const always = {
  '@type': 'type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy',
  filter_enabled: { default_value: { numerator: 100 } },
  forward_not_matching_preflights: true,
};

describe('emitCorsPolicy', () => {
  it.each<[string, CorsPolicy | undefined, object | undefined]>([
    ['nothing', undefined, undefined],
    ['an empty policy', {}, always],
    [
      'all fields',
      {
        allowOrigins: [{ exact: 'http://foo.example' }, { prefix: 'https://' }, { regex: '.*bar' }],
        allowMethods: ['POST', 'GET'],
        allowHeaders: ['content-type', 'x-a'],
        exposeHeaders: ['x-b'],
        maxAge: '5m',
        allowCredentials: true,
        unmatchedPreflights: 'IGNORE',
      },
      {
        ...always,
        allow_origin_string_match: [
          { exact: 'http://foo.example' },
          { prefix: 'https://' },
          { safe_regex: { regex: '.*bar' } },
        ],
        allow_methods: 'POST,GET',
        allow_headers: 'content-type,x-a',
        expose_headers: 'x-b',
        max_age: '300',
        allow_credentials: true,
        forward_not_matching_preflights: false,
      },
    ],
    [
      'the deprecated allowOrigin',
      { allowOrigin: ['*'], allowCredentials: false, unmatchedPreflights: 'FORWARD' },
      { ...always, allow_origin_string_match: [{ exact: '*' }], allow_credentials: false },
    ],
    [
      'an origin that may be anything',
      { allowOrigins: [{ regex: '*' }] },
      { ...always, allow_origin_string_match: [{ safe_regex: { regex: '.*' } }] },
    ],
  ])('%s', (_, policy, expected) => {
    expect(emitted(policy)).toEqual(expected);
  });
});
