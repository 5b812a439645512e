import { describe, expect, it } from '@jest/globals';
import { create, toJson } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { envoyRegistry } from '@seine/envoy';
import type { HTTPFaultInjection } from '@seine/istio';
import { emitFault } from './emit-fault.js';

const emitted = (fault: HTTPFaultInjection | undefined): unknown => {
  const any = emitFault(fault);
  return any && toJson(AnySchema, create(AnySchema, any), { registry: envoyRegistry(), useProtoFieldName: true });
};
const type = { '@type': 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault' };
const millionths = (numerator: number): object =>
  numerator === 0 ? { denominator: 'MILLION' } : { numerator, denominator: 'MILLION' };

describe('emitFault', () => {
  it.each<[string, HTTPFaultInjection | undefined, object | undefined]>([
    ['nothing', undefined, undefined],
    ['an empty fault', {}, undefined],
    [
      'a delay',
      { delay: { fixedDelay: '7s', percentage: { value: 0.1 } } },
      { ...type, delay: { fixed_delay: '7s', percentage: millionths(1000) } },
    ],
    [
      'the older integer percent of a delay',
      { delay: { fixedDelay: '7s', percent: 50 } },
      { ...type, delay: { fixed_delay: '7s', percentage: { numerator: 50 } } },
    ],
    [
      'a delay without percentage hits nobody',
      { delay: { fixedDelay: '1s' } },
      { ...type, delay: { fixed_delay: '1s', percentage: {} } },
    ],
    ['a delay of no time', { delay: { fixedDelay: '0s', percentage: { value: 100 } } }, undefined],
    [
      'an abort',
      { abort: { httpStatus: 503, percentage: { value: 100 } } },
      { ...type, abort: { http_status: 503, percentage: millionths(1_000_000) } },
    ],
    [
      'an abort without percentage hits nobody',
      { abort: { httpStatus: 503 } },
      { ...type, abort: { http_status: 503, percentage: millionths(0) } },
    ],
    [
      'a gRPC abort by name',
      { abort: { grpcStatus: 'UNAVAILABLE', percentage: { value: 1 } } },
      { ...type, abort: { grpc_status: 14, percentage: millionths(10_000) } },
    ],
    [
      'a gRPC abort by number',
      { abort: { grpcStatus: '7', percentage: { value: 1 } } },
      { ...type, abort: { grpc_status: 7, percentage: millionths(10_000) } },
    ],
    ['an unknown gRPC status', { abort: { grpcStatus: 'NOPE', percentage: { value: 1 } } }, undefined],
    [
      'both',
      {
        delay: { fixedDelay: '1s', percentage: { value: 200 } },
        abort: { httpStatus: 500, percentage: { value: 50 } },
      },
      {
        ...type,
        delay: { fixed_delay: '1s', percentage: millionths(1_000_000) },
        abort: { http_status: 500, percentage: millionths(500_000) },
      },
    ],
  ])('%s', (_, fault, expected) => {
    expect(emitted(fault)).toEqual(expected);
  });
});
