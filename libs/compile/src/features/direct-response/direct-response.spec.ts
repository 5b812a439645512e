import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { DirectResponseActionSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { HTTPDirectResponse } from '@seine/istio';
import { emitDirectResponse } from './emit-direct-response.js';

describe('emitDirectResponse', () => {
  it.each<[HTTPDirectResponse, object]>([
    [{ status: 418 }, { status: 418 }],
    [
      { status: 200, body: { string: 'teapot' } },
      { status: 200, body: { inline_string: 'teapot' } },
    ],
    [
      { status: 200, body: { bytes: 'AQID' } },
      { status: 200, body: { inline_bytes: 'AQID' } },
    ],
  ])('%p', (response, expected) => {
    expect(toEnvoyJson(DirectResponseActionSchema, emitDirectResponse(response))).toEqual(expected);
  });
});
