import { describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { toEnvoyJson } from '@seine/envoy';
import { RouteActionSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { HTTPRewrite } from '@seine/istio';
import { emitPathRewrite } from './emit-rewrite.js';

describe('emitPathRewrite', () => {
  it.each<[HTTPRewrite | undefined, object]>([
    [undefined, {}],
    [{ uri: '/new' }, { prefix_rewrite: '/new' }],
    [{ authority: 'other.example.com' }, {}],
    [
      { uri: '/unused', uriRegexRewrite: { match: '/a/(.*)', rewrite: '/b/\\1' } },
      { regex_rewrite: { pattern: { regex: '/a/(.*)' }, substitution: '/b/\\1' } },
    ],
  ])('%p', (rewrite, expected) => {
    expect(toEnvoyJson(RouteActionSchema, create(RouteActionSchema, emitPathRewrite(rewrite)))).toEqual(expected);
  });
});
