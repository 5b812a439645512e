import { create } from '@bufbuild/protobuf';
import type { DataSource } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import {
  type DirectResponseAction,
  DirectResponseActionSchema,
} from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { HTTPDirectResponse } from '@seine/istio';

/** `directResponse`: Envoy answers itself. `body.bytes` is base64, as in every JSON form of protobuf. */
export function emitDirectResponse(response: HTTPDirectResponse): DirectResponseAction {
  const specifier = bodySpecifier(response.body);
  return create(DirectResponseActionSchema, { status: response.status, body: specifier && { specifier } });
}

function bodySpecifier(body: HTTPDirectResponse['body']): DataSource['specifier'] | undefined {
  if (body?.string !== undefined) return { case: 'inlineString', value: body.string };
  if (body?.bytes !== undefined)
    return { case: 'inlineBytes', value: new Uint8Array(Buffer.from(body.bytes, 'base64')) };
  return undefined;
}
