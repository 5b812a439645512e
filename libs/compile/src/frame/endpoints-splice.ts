import { encodeResource } from '@seine/envoy';
import { LbEndpointSchema } from '@seine/envoy/envoy/config/endpoint/v3/endpoint_components_pb.js';
import { memo } from '@seine/memo';
import type { Endpoint } from '@seine/model';
import type { EndpointGroup } from '../features/locality/endpoint-groups.js';
import { emitLbEndpoint } from './endpoints-message.js';

/**
 * Load assignments as bytes, put together from endpoints that are encoded already: an endpoint is encoded when it
 * appears, not each time one of its neighbours changes. The field numbers are those of envoy/config/endpoint/v3
 * (ClusterLoadAssignment, LocalityLbEndpoints, core Locality); the wire format is protobuf's "length-delimited".
 */

const lengthDelimited = 2;
const varint = 0;
const tag = (field: number, wireType: number): number => (field << 3) | wireType;

const assignment = { clusterName: tag(1, lengthDelimited), endpoints: tag(2, lengthDelimited) };
const localityEndpoints = {
  locality: tag(1, lengthDelimited),
  lbEndpoints: tag(2, lengthDelimited),
  loadBalancingWeight: tag(3, lengthDelimited),
  priority: tag(5, varint),
};
const localityFields = {
  region: tag(1, lengthDelimited),
  zone: tag(2, lengthDelimited),
  subZone: tag(3, lengthDelimited),
};
/** google.protobuf.UInt32Value.value */
const wrappedValue = tag(1, varint);

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

function encodeVarint(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(varintSize(value));
  let rest = value;
  let at = 0;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
  bytes[at] = rest;
  return bytes;
}

/** All our tags are below 16, hence one byte. */
function prefix(fieldTag: number, length: number): Buffer {
  return Buffer.concat([Buffer.of(fieldTag), encodeVarint(length)]);
}

function field(fieldTag: number, content: Buffer): Buffer {
  return Buffer.concat([prefix(fieldTag, content.length), content]);
}

/** proto3 leaves empty strings out. */
function stringField(fieldTag: number, text: string): Buffer {
  return text === '' ? Buffer.alloc(0) : field(fieldTag, Buffer.from(text, 'utf8'));
}

/** One `lb_endpoints` field, tag and length included. Kept as long as the endpoint object lives. */
export const encodeLbEndpointField = memo('lbEndpoint', (endpoint: Endpoint, labelled: boolean): Buffer =>
  field(localityEndpoints.lbEndpoints, encodeResource(LbEndpointSchema, emitLbEndpoint(endpoint, labelled))),
);

function encodeGroup(group: EndpointGroup, labelled: boolean): readonly Buffer[] {
  const { region, zone, subzone } = group.locality;
  const locality = Buffer.concat([
    stringField(localityFields.region, region),
    stringField(localityFields.zone, zone),
    stringField(localityFields.subZone, subzone),
  ]);
  const head = field(localityEndpoints.locality, locality);
  const weight = Buffer.concat([Buffer.of(wrappedValue), encodeVarint(group.weight)]);
  const tail = Buffer.concat([
    field(localityEndpoints.loadBalancingWeight, weight),
    ...(group.priority > 0 ? [Buffer.of(localityEndpoints.priority), encodeVarint(group.priority)] : []),
  ]);
  const endpoints = group.endpoints.map((endpoint) => encodeLbEndpointField(endpoint, labelled));
  let length = head.length + tail.length;
  for (const bytes of endpoints) length += bytes.length;
  return [prefix(assignment.endpoints, length), head, ...endpoints, tail];
}

/** The bytes of a ClusterLoadAssignment; equal to what encoding its message gives. */
export function encodeLoadAssignment(clusterName: string, groups: readonly EndpointGroup[], labelled = false): Buffer {
  const encoded = groups.flatMap((group) => encodeGroup(group, labelled));
  return Buffer.concat([stringField(assignment.clusterName, clusterName), ...encoded]);
}
