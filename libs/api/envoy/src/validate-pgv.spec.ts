import { create, type DescMessage, fromBinary, getOption, hasOption, type MessageInitShape } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { describe, expect, it } from '@jest/globals';
import { emptyAny, toAny } from './any.js';
import { durationOf } from './duration.js';
import { CircuitBreakersSchema } from './gen/envoy/config/cluster/v3/circuit_breaker_pb.js';
import { ClusterSchema } from './gen/envoy/config/cluster/v3/cluster_pb.js';
import { OutlierDetectionSchema } from './gen/envoy/config/cluster/v3/outlier_detection_pb.js';
import { SocketAddressSchema } from './gen/envoy/config/core/v3/address_pb.js';
import { HeaderValueSchema } from './gen/envoy/config/core/v3/base_pb.js';
import { LocalityLbEndpointsSchema } from './gen/envoy/config/endpoint/v3/endpoint_components_pb.js';
import { FilterSchema } from './gen/envoy/config/listener/v3/listener_components_pb.js';
import {
  DirectResponseActionSchema,
  RouteMatchSchema,
  RouteSchema,
  VirtualHostSchema,
} from './gen/envoy/config/route/v3/route_components_pb.js';
import { HttpConnectionManagerSchema } from './gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { FieldRulesSchema, rules } from './gen/validate/validate_pb.js';
import { envoyRegistry } from './registry.js';
import { validatePgv } from './validate-pgv.js';

function complaints<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): string[] {
  return validatePgv(schema, create(schema, init));
}

describe('the rules of protoc-gen-validate', () => {
  it('pass a message that keeps them', () => {
    const host = { name: 'h', domains: ['*'] };
    expect(complaints(VirtualHostSchema, host)).toEqual([]);
  });

  it.each([
    ['min_len', complaints(VirtualHostSchema, { domains: ['*'] }), 'VirtualHost.name: has length 0'],
    ['min_items', complaints(VirtualHostSchema, { name: 'h' }), 'VirtualHost.domains: must have at least 1'],
    ['rules of items', complaints(VirtualHostSchema, { name: 'h', domains: ['a\n'] }), 'VirtualHost.domains[0]: '],
    ['a oneof that is required', complaints(RouteSchema, { match: {} }), 'Route.action: one must be set'],
    ['a message that is required', complaints(RouteSchema, {}), 'Route.match: is required'],
    [
      'messages within',
      complaints(RouteSchema, { match: {}, action: { case: 'directResponse', value: { status: 200 } } }),
      'Route.match.path_specifier: one must be set',
    ],
    ['gte of a number', complaints(DirectResponseActionSchema, { status: 42 }), 'DirectResponseAction.status: is 42'],
    ['lt of a number', complaints(DirectResponseActionSchema, { status: 600 }), 'DirectResponseAction.status: is 600'],
    [
      'gt of a duration',
      complaints(ClusterSchema, { name: 'c', connectTimeout: durationOf(0) }),
      'Cluster.connect_timeout: is 0, must be > 0',
    ],
    [
      'numbers in wrappers',
      complaints(OutlierDetectionSchema, { maxEjectionPercent: 101 }),
      'OutlierDetection.max_ejection_percent: is 101, must be <= 100',
    ],
    [
      'lte with gt',
      complaints(SocketAddressSchema, { address: 'a', portSpecifier: { case: 'portValue', value: 65536 } }),
      'SocketAddress.port_value: is 65536',
    ],
    [
      'lt of a priority',
      complaints(LocalityLbEndpointsSchema, { priority: 129 }),
      'LocalityLbEndpoints.priority: is 129',
    ],
    [
      'enum values',
      // Field 2 is `type`.
      validatePgv(ClusterSchema, fromBinary(ClusterSchema, Uint8Array.of(0x10, 77))),
      'Cluster.type: 77 is no value of',
    ],
    ['header names', complaints(HeaderValueSchema, { key: 'a\nb' }), 'HeaderValue.key: '],
    [
      'list elements that are messages',
      complaints(CircuitBreakersSchema, { thresholds: [{ retryBudget: { budgetPercent: { value: 101 } } }] }),
      'CircuitBreakers.thresholds[0].retry_budget.budget_percent.value: ',
    ],
    [
      'what an Any holds',
      complaints(FilterSchema, {
        name: 'f',
        configType: { case: 'typedConfig', value: toAny(HttpConnectionManagerSchema, { statPrefix: '' }) },
      }),
      'Filter.typed_config<HttpConnectionManager>.stat_prefix: has length 0',
    ],
  ])('complain by %s', (_rule, found, expected) => {
    expect(found).toContainEqual(expect.stringContaining(expected));
  });

  it('leave unset members of a oneof, and an Any of an unknown type, alone', () => {
    expect(complaints(RouteMatchSchema, { pathSpecifier: { case: 'prefix', value: '/' } })).toEqual([]);
    const value = emptyAny('example.Unknown');
    expect(complaints(FilterSchema, { name: 'f', configType: { case: 'typedConfig', value } })).toEqual([]);
  });

  it('are all known here: no message of ours carries a rule that would be passed over', () => {
    const used = new Set<string>();
    const note = (kind: string, reflected: ReturnType<typeof reflect>): void => {
      for (const field of reflected.fields) if (reflected.isSet(field)) used.add(`${kind}.${field.name}`);
    };
    for (const type of envoyRegistry()) {
      if (type.kind !== 'message') continue;
      for (const field of type.fields) {
        if (!hasOption(field, rules)) continue;
        const option = reflect(FieldRulesSchema, getOption(field, rules));
        for (const part of option.fields) {
          if (!option.isSet(part) || part.fieldKind !== 'message') continue;
          note(part.name, option.get(part));
        }
      }
    }
    const implemented = [
      ...['message.required', 'message.skip', 'any.required', 'any.in', 'duration.required', 'timestamp.required'],
      ...['enum.defined_only', 'enum.const', 'enum.in', 'enum.not_in', 'bool.const'],
      ...['repeated.min_items', 'repeated.max_items', 'repeated.unique', 'repeated.items', 'repeated.ignore_empty'],
      ...['map.min_pairs', 'map.max_pairs', 'map.keys', 'map.values', 'map.ignore_empty'],
      ...['string', 'bytes'].flatMap((kind) =>
        ['len', 'min_len', 'max_len', 'ignore_empty'].map((r) => `${kind}.${r}`),
      ),
      ...['min_bytes', 'max_bytes', 'pattern', 'prefix', 'suffix', 'contains', 'not_contains'].map(
        (r) => `string.${r}`,
      ),
      ...['in', 'not_in', 'uri', 'uri_ref', 'well_known_regex', 'strict', 'const'].map((r) => `string.${r}`),
      ...['int32', 'int64', 'uint32', 'uint64', 'float', 'double', 'duration'].flatMap((kind) =>
        ['const', 'lt', 'lte', 'gt', 'gte', 'in', 'not_in', 'ignore_empty'].map((r) => `${kind}.${r}`),
      ),
    ];
    expect([...used].filter((rule) => !implemented.includes(rule))).toEqual([]);
    expect(used.size).toBeGreaterThan(20);
  });
});
