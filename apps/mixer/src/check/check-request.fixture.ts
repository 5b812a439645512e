import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { CheckRequestSchema } from '@seine/envoy/envoy/service/auth/v3/external_auth_pb.js';

type Attributes = NonNullable<MessageInitShape<typeof CheckRequestSchema>['attributes']>;
type Http = NonNullable<NonNullable<Attributes['request']>['http']>;

/** A question as Envoy asks it. */
export interface Asked {
  readonly from?: string;
  readonly identity?: string;
  readonly to?: string;
  readonly port?: number;
  readonly http?: Http | undefined;
  readonly extensions?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, object>>;
  readonly sni?: string;
}

const peer = (address: string, portValue: number, principal: string): NonNullable<Attributes['source']> => ({
  principal,
  address: {
    address: { case: 'socketAddress', value: { address, portSpecifier: { case: 'portValue', value: portValue } } },
  },
});

/** An HTTP request to `ratings` at 10.0.0.2:9080, unless told otherwise; `http: undefined` is a connection. */
export function checkRequest(asked: Asked = {}): Buffer {
  const { from = '10.0.0.1', identity = '', to = '10.0.0.2', port = 9080, extensions, metadata, sni } = asked;
  const http: Http | undefined =
    'http' in asked
      ? asked.http
      : { method: 'GET', path: '/ratings/0', host: 'ratings:9080', headers: { ':method': 'GET' } };
  const attributes: Attributes = {
    source: peer(from, 40_000, identity),
    destination: peer(to, port, ''),
    request: { time: { seconds: 1_700_000_000n, nanos: 500_000_000 }, ...(http && { http }) },
    ...(extensions && { contextExtensions: { ...extensions } }),
    ...(metadata && { metadataContext: { filterMetadata: { ...metadata } as never } }),
    ...(sni !== undefined && { tlsSession: { sni } }),
  };
  return Buffer.from(toBinary(CheckRequestSchema, create(CheckRequestSchema, { attributes })));
}
