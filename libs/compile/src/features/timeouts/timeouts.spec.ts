import { describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { toEnvoyJson } from '@seine/envoy';
import { RouteActionSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import { emitTimeout } from './emit-timeout.js';

describe('emitTimeout', () => {
  it.each([
    [undefined, '0s'],
    ['0s', '0s'],
    ['10s', '10s'],
    ['0.5s', '0.500s'],
    ['1m30s', '90s'],
  ])('%p', (timeout, expected) => {
    expect(toEnvoyJson(RouteActionSchema, create(RouteActionSchema, emitTimeout(timeout)))).toEqual({
      timeout: expected,
      max_grpc_timeout: expected,
    });
  });
});
