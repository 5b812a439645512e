import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { CheckRequestSchema } from '@seine/envoy/envoy/service/auth/v3/external_auth_pb.js';
import { CheckMessage } from './check-message.js';
import { checkRequest } from './check-request.fixture.js';
import { structToJson } from './struct.js';
import { WireError, WireReader } from './wire.js';

const claims = {
  iss: 'testing@secure.istio.io',
  n: 1.5,
  yes: true,
  none: null,
  list: ['a', { b: 'ü' }],
  nested: { deep: { deeper: 'x' } },
};

describe('a check request', () => {
  it('is read as Envoy wrote it', () => {
    const message = new CheckMessage(
      checkRequest({
        identity: 'spiffe://cluster.local/ns/default/sa/reviews',
        http: {
          method: 'POST',
          path: '/a?b=c',
          host: 'ratings:9080',
          scheme: 'http',
          size: 12n,
          protocol: 'HTTP/2',
          headers: { ':path': '/a?b=c', cookie: 'user=jason', 'x-name': 'Zoë' },
        },
        extensions: { 'seine.reporter': 'inbound', 'seine.service': 'ratings' },
        metadata: { other: { a: 'b' }, 'envoy.filters.http.jwt_authn': { payload: claims } },
        sni: 'outbound_.9080_._.ratings',
      }),
    );
    expect(message).toMatchObject({
      source: { address: '10.0.0.1', port: 40_000, principal: 'spiffe://cluster.local/ns/default/sa/reviews' },
      destination: { address: '10.0.0.2', port: 9080, principal: '' },
      time: 1_700_000_000_500,
      isHttp: true,
      method: 'POST',
      path: '/a?b=c',
      host: 'ratings:9080',
      scheme: 'http',
      size: 12,
      protocol: 'HTTP/2',
      sni: 'outbound_.9080_._.ratings',
    });
    expect([...message.headers]).toEqual(
      expect.arrayContaining([
        ['cookie', 'user=jason'],
        ['x-name', 'Zoë'],
      ]),
    );
    expect(message.headers.size).toBe(3);
    expect(message.extensions.get('seine.service')).toBe('ratings');
    expect(JSON.parse(structToJson(message.metadata('envoy.filters.http.jwt_authn') ?? null))).toEqual({
      payload: claims,
    });
    expect(message.metadata('nobody')).toBeUndefined();
  });

  it('has its headers also from a proxy that keeps them as they came', () => {
    const headers = [
      { key: 'via', value: 'a' },
      { key: 'via', rawValue: Buffer.from('b') },
    ];
    const request = create(CheckRequestSchema, { attributes: { request: { http: { headerMap: { headers } } } } });
    expect(new CheckMessage(Buffer.from(toBinary(CheckRequestSchema, request))).headers.get('via')).toBe('a,b');
  });

  it('may be about a connection', () => {
    const message = new CheckMessage(checkRequest({ http: undefined }));
    expect(message.isHttp).toBe(false);
    expect(message.headers.size).toBe(0);
  });

  it('knows no size where the proxy knows none', () => {
    expect(new CheckMessage(checkRequest({ http: { size: -1n } })).size).toBeUndefined();
  });

  it('is refused where it is none', () => {
    for (const text of ['', 'nonsense', '\x0a\xff'])
      expect(() => new CheckMessage(Buffer.from(text, 'latin1'))).toThrow(WireError);
  });

  it('that ends in the middle throws nothing else than WireError', () => {
    const whole = checkRequest({ metadata: { 'seine.peer': { workload: 'reviews-v3' } }, extensions: { a: 'b' } });
    for (let length = 0; length < whole.length; length++) {
      try {
        const message = new CheckMessage(whole.subarray(0, length));
        message.headers.get('x');
        message.metadata('seine.peer');
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }
  });

  it('whose bytes are changed throws nothing else either', () => {
    const whole = checkRequest({ metadata: { 'seine.peer': { workload: ['a', { b: 1 }] } }, extensions: { a: 'b' } });
    for (let at = 0; at < whole.length; at++)
      for (const value of [0, 0x0b, 0x7f, 0x80, 0xff]) {
        const changed = Buffer.from(whole);
        changed[at] = value;
        try {
          const message = new CheckMessage(changed);
          message.headers.get('x');
          message.metadata('seine.peer');
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }
  });

  it('does not fill the stack with what nests', () => {
    let claim: object = { end: true };
    for (let i = 0; i < 90; i++) claim = { claim };
    const message = new CheckMessage(checkRequest({ metadata: { deep: claim } }));
    expect(() => message.metadata('deep')).toThrow('a value nests too deep');
  });
});

describe('a wire reader', () => {
  it('passes over what nobody takes', () => {
    const bytes = Buffer.from([
      ...[0x08, 0x96, 0x01], // 1: 150
      ...[0x11, 0, 0, 0, 0, 0, 0, 0, 0], // 2: 64 bits
      ...[0x1d, 0, 0, 0, 0], // 3: 32 bits
      ...[0x22, 0x02, 0x68, 0x69], // 4: "hi"
    ]);
    const reader = new WireReader(bytes);
    const seen: unknown[] = [];
    while (reader.next()) seen.push([reader.field, reader.number, reader.text()]);
    expect(seen.map((one) => (one as unknown[])[0])).toEqual([1, 2, 3, 4]);
    expect(seen[0]).toEqual([1, 150, '']);
    expect(seen[3]).toEqual([4, 0, 'hi']);
  });

  it('refuses groups, and numbers without an end', () => {
    expect(() => new WireReader(Buffer.from([0x0b])).next()).toThrow('no known wire type');
    expect(() => new WireReader(Buffer.alloc(11, 0xff)).next()).toThrow('does not end');
  });
});
