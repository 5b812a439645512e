import { describe, expect, it } from '@jest/globals';
import { celFormat, changedLabels, type Protocol, type Reporter, standardLabels } from './labels.js';

describe('labels', () => {
  it.each<[Reporter, Protocol]>([
    ['source', 'http'],
    ['source', 'tcp'],
    ['destination', 'http'],
    ['destination', 'tcp'],
  ])('of the %s of %s are Istio’s', (reporter, protocol) => {
    const workload = ['app', 'canonical_revision', 'canonical_service', 'cluster', 'principal', 'version', 'workload'];
    const ofWorkload = [...workload, 'workload_namespace'];
    expect(
      standardLabels(reporter, protocol, true)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(
      [
        ...ofWorkload.flatMap((name) => [`source_${name}`, `destination_${name}`]),
        ...['destination_service', 'destination_service_name', 'destination_service_namespace'],
        ...['reporter', 'request_protocol', 'response_flags', 'connection_security_policy'],
        ...(protocol === 'http' ? ['response_code', 'grpc_response_status'] : []),
      ].sort(),
    );
  });

  it.each([
    ['request.host', '%CEL(request.host)%'],
    ["'books'", 'books'],
    ['"100%"', '100%%'],
    ["''", "%CEL('')%"],
    ["'a' + 'b'", "%CEL('a' + 'b')%"],
    ['string(destination.port)', '%CEL(destination.port)%'],
    ['string(a) + string(b)', '%CEL(string(a) + string(b))%'],
  ])('%s is written %s', (expression, expected) => {
    expect(celFormat(expression)).toBe(expected);
  });

  it('are changed, taken away and added, the added ones by name', () => {
    const labels = ['a', 'b', 'c'].map((name) => ({ name, format: `%${name}%` }));
    const changes = new Map([
      ['z', 'x'],
      ['b', null],
      ['c', "'new'"],
      ['y', 'x'],
      ['unknown', null],
    ]);
    expect(changedLabels(labels, changes).map(({ name, format }) => `${name}=${format}`)).toEqual([
      'a=%a%',
      'c=new',
      'y=%CEL(x)%',
      'z=%CEL(x)%',
    ]);
    expect(changedLabels(labels, undefined)).toBe(labels);
  });
});
