import { describe, expect, it } from '@jest/globals';
import { fromJson, toJson } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { checkEnvoyJson } from './config-json.js';
import { envoyRegistry, messageOfUrl } from './registry.js';

const cluster = 'envoy.config.cluster.v3.Cluster';
const filter = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter';
const lua = 'type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua';
const typed = (type: string, more: object = {}) => ({ name: 'x', typed_config: { '@type': type, ...more } });

const problems = (type: string, json: unknown, whole = false) =>
  checkEnvoyJson(type, json, whole).map(({ kind, path, message }) => [kind, path.join('/'), message]);

describe('checkEnvoyJson', () => {
  it.each<[string, string, unknown]>([
    ['names in snake_case', cluster, { name: 'a', connect_timeout: '5s', lb_policy: 'MAGLEV' }],
    ['names in camelCase', cluster, { name: 'a', connectTimeout: '0.25s' }],
    ['nulls, which count as absent', cluster, { eds_cluster_config: null }],
    ['wrapped numbers', cluster, { per_connection_buffer_limit_bytes: 32768 }],
    ['free metadata', cluster, { metadata: { filter_metadata: { any: { thing: [1, null, 'x'] } } } }],
    ['a filter of generated code', filter, typed(lua, { inline_code: 'x' })],
    [
      'a filter of which only the descriptor is there',
      filter,
      typed('type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer', { max_request_bytes: 1 }),
    ],
    [
      'a filter newer than the protos',
      filter,
      typed('type.googleapis.com/envoy.extensions.filters.http.a2a.v3.A2a', { what: 'ever' }),
    ],
    [
      'an opaque config',
      filter,
      typed('type.googleapis.com/xds.type.v3.TypedStruct', { type_url: lua, value: { inline_code: 'x' } }),
    ],
    ['a well-known type', filter, typed('type.googleapis.com/google.protobuf.StringValue', { value: 'x' })],
  ])('takes %s', (_what, type, json) => {
    expect(problems(type, json)).toEqual([]);
  });

  it.each<[string, string, unknown, string, string, RegExp]>([
    ['a list for an object', cluster, [], 'invalid', '', /expected an object: envoy\.config\.cluster\.v3\.Cluster/],
    ['a number for a text', cluster, { name: 1 }, 'invalid', 'name', /Got 1, expected a text/],
    ['an unknown enum value', cluster, { lb_policy: 'BEST' }, 'invalid', 'lb_policy', /one of ROUND_ROBIN, /],
    [
      'a bad duration',
      cluster,
      { connect_timeout: '5 minutes' },
      'invalid',
      'connect_timeout',
      /a duration in seconds/,
    ],
    [
      'a bad number in a wrapper',
      cluster,
      { per_connection_buffer_limit_bytes: -1 },
      'invalid',
      'per_connection_buffer_limit_bytes',
      /from 0 to 4294967295/,
    ],
    [
      'a field that does not exist',
      cluster,
      { conect_timeout: '1s' },
      'unknown-field',
      'conect_timeout',
      /has no field/,
    ],
    [
      'two of a oneof',
      cluster,
      { type: 'EDS', cluster_type: { name: 'x' } },
      'invalid',
      'cluster_type',
      /exclude each other/,
    ],
    [
      'a scalar in a list',
      'envoy.config.route.v3.VirtualHost',
      { domains: ['a', {}] },
      'invalid',
      'domains/1',
      /expected a text/,
    ],
    ['no @type', filter, { typed_config: { inline_code: 'x' } }, 'invalid', 'typed_config/@type', /is required/],
    [
      'an unknown type',
      filter,
      typed('type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lau'),
      'unknown-type',
      'typed_config/@type',
      /no type envoy\.extensions\.filters\.http\.lua\.v3\.Lau/,
    ],
    [
      'a type of the v2 API',
      filter,
      typed('type.googleapis.com/envoy.config.filter.http.lua.v2.Lua'),
      'unknown-type',
      'typed_config/@type',
      /use the v3 API/,
    ],
    [
      'a type of Istio’s proxy',
      filter,
      typed('type.googleapis.com/stats.PluginConfig'),
      'foreign-type',
      'typed_config/@type',
      /Plain Envoy has no/,
    ],
    [
      'a wrong field inside an Any',
      filter,
      typed(lua, { inline_code: {} }),
      'invalid',
      'typed_config/inline_code',
      /a text/,
    ],
    [
      'a wrong field inside a TypedStruct',
      filter,
      typed('type.googleapis.com/udpa.type.v1.TypedStruct', { type_url: lua, value: { inline_code: 1 } }),
      'invalid',
      'typed_config/value/inline_code',
      /a text/,
    ],
    [
      'a TypedStruct without type',
      filter,
      typed('type.googleapis.com/udpa.type.v1.TypedStruct', {}),
      'invalid',
      'typed_config/type_url',
      /is required/,
    ],
  ])('finds %s', (_what, type, json, kind, path, message) => {
    expect(problems(type, json)).toEqual([[kind, path, expect.stringMatching(message)]]);
  });

  it('gives up on what is nested without end', () => {
    let json: unknown = {};
    for (let i = 0; i < 5000; i++) json = { value: [json] };
    expect(problems(cluster, { metadata: { filter_metadata: { a: json } } })).toEqual([
      ['invalid', '', expect.stringMatching(/more than 100 levels/)],
    ]);
  });

  it('applies Envoy’s rules to whole messages, with the path of the field, and not to parts', () => {
    const json = {
      connect_timeout: '0s',
      load_assignment: { cluster_name: '', policy: { overprovisioning_factor: 0 } },
    };
    expect(problems(cluster, json)).toEqual([]);
    const paths = problems(cluster, json, true).map(([kind, path]) => [kind, path]);
    expect(paths).toEqual(
      expect.arrayContaining([
        ['rule', 'name'],
        ['rule', 'connect_timeout'],
        ['rule', 'load_assignment/policy/overprovisioning_factor'],
      ]),
    );
    const hcm = typed('type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer', { max_request_bytes: 0 });
    expect(problems(filter, hcm, true)).toEqual([['rule', 'typed_config/max_request_bytes', 'is 0, must be > 0']]);
  });
});

describe('envoyRegistry', () => {
  it('has types without generated code, which share the messages that have it', () => {
    const desc = messageOfUrl('type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer');
    expect(desc?.fields.map(({ name }) => name)).toEqual(['max_request_bytes']);
    const token = messageOfUrl('x/envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit');
    const shared = token?.fields.find(({ name }) => name === 'token_bucket')?.message;
    expect(shared).toBe(messageOfUrl('x/envoy.type.v3.TokenBucket'));
  });

  it('packs and opens them', () => {
    const json = { '@type': 'type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer', maxRequestBytes: 5 };
    const any = fromJson(AnySchema, json, { registry: envoyRegistry() });
    expect(toJson(AnySchema, any, { registry: envoyRegistry() })).toEqual(json);
  });
});
