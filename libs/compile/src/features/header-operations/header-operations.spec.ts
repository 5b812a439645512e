import { describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { toEnvoyJson } from '@seine/envoy';
import { RouteSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { Headers } from '@seine/istio';
import { emitHeaderOperations, hostRewriteOf } from './emit-header-operations.js';

const emitted = (...levels: (Headers | undefined)[]): unknown =>
  toEnvoyJson(RouteSchema, create(RouteSchema, emitHeaderOperations(...levels)));
const set = (key: string, value: string): object => ({
  header: { key, value },
  append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
});
const add = (key: string, value: string): object => ({ header: { key, value } });

describe('emitHeaderOperations', () => {
  it.each<[string, (Headers | undefined)[], object]>([
    ['nothing', [undefined], {}],
    [
      'set, add and remove, sorted by name',
      [
        {
          request: { set: { 'x-b': '2', 'x-a': '1' }, add: { 'x-c': '3' }, remove: ['x-d'] },
          response: { set: { 'x-e': '4' }, add: { 'x-f': '5' }, remove: ['x-g', 'x-h'] },
        },
      ],
      {
        request_headers_to_add: [set('x-a', '1'), set('x-b', '2'), add('x-c', '3')],
        request_headers_to_remove: ['x-d'],
        response_headers_to_add: [set('x-e', '4'), add('x-f', '5')],
        response_headers_to_remove: ['x-g', 'x-h'],
      },
    ],
    [
      'the route first, then the destination',
      [{ request: { add: { 'x-a': 'route' } } }, { request: { add: { 'x-a': 'destination' } } }],
      { request_headers_to_add: [add('x-a', 'route'), add('x-a', 'destination')] },
    ],
    [
      'what Envoy refuses to change is left out',
      [
        {
          request: { set: { Host: 'a', ':path': '/' }, add: { ':authority': 'b' }, remove: ['host', ':method', 'x-a'] },
        },
      ],
      { request_headers_to_remove: ['x-a'] },
    ],
  ])('%s', (_, levels, expected) => {
    expect(emitted(...levels)).toEqual(expected);
  });

  it.each([
    ['plain', 'plain'],
    ['100%', '100%%'],
    ['50%% off', '50%% off'],
    ['%DOWNSTREAM_REMOTE_ADDRESS%', '%DOWNSTREAM_REMOTE_ADDRESS%'],
    ['a%REQ(x-id):8%b%c', 'a%REQ(x-id):8%b%%c'],
    ['%20%20', '%%20%%20'],
  ])('keeps format commands and makes other percent signs literal: %p', (value, expected) => {
    const { requestHeadersToAdd } = emitHeaderOperations({ request: { set: { 'x-a': value } } });
    expect(requestHeadersToAdd.map((option) => option.header?.value)).toEqual([expected]);
  });
});

describe('hostRewriteOf', () => {
  it.each<[Headers | undefined, string | undefined]>([
    [undefined, undefined],
    [{ request: { set: { 'x-a': '1' } } }, undefined],
    [{ request: { set: { Host: 'a.example.com' } } }, 'a.example.com'],
    [{ request: { add: { ':authority': 'b' } } }, 'b'],
    [{ request: { set: { host: 'a' }, add: { host: 'b' } } }, 'a'],
    [{ response: { set: { host: 'a' } } }, undefined],
  ])('%p', (headers, expected) => {
    expect(hostRewriteOf(headers)).toBe(expected);
  });
});
