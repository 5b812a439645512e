import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { Node } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '@seine/envoy/envoy/service/discovery/v3/discovery_pb.js';

/** The two variants of ADS: StreamAggregatedResources and DeltaAggregatedResources. */
export type AdsVariant = 'sotw' | 'delta';

/** One request, in the words of both variants. */
export interface AdsRequest {
  readonly typeUrl: string;
  readonly node?: Node | undefined;
  /** State-of-the-world: all names wanted. Delta: `resource_names_subscribe`. */
  readonly names?: readonly string[];
  /** Delta only: `resource_names_unsubscribe`. */
  readonly unsubscribe?: readonly string[];
  /** State-of-the-world only. */
  readonly version?: string;
  readonly nonce?: string;
  /** Sets `error_detail`: the request is a NACK. */
  readonly error?: string;
  /** Delta only: what a reconnecting client holds. */
  readonly initialVersions?: Readonly<Record<string, string>>;
}

export interface AdsResource {
  /** The wrapper's name in delta; what the resource calls itself in state-of-the-world. */
  readonly name: string;
  /** What the resource calls itself (its field 1). */
  readonly innerName: string;
  /** Empty in state-of-the-world. */
  readonly version: string;
  readonly typeUrl: string;
  readonly bytes: Buffer;
}

/** One response, in the words of both variants. */
export interface AdsResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  /** `version_info` or `system_version_info`. */
  readonly version: string;
  readonly resources: readonly AdsResource[];
  readonly removed: readonly string[];
  /** Size of the message, bytes. */
  readonly size: number;
}

export function encodeRequest(variant: AdsVariant, request: AdsRequest): Buffer {
  const errorDetail = request.error === undefined ? undefined : { code: 3, message: request.error };
  const shared = { typeUrl: request.typeUrl, node: request.node, responseNonce: request.nonce ?? '', errorDetail };
  const names = [...(request.names ?? [])];
  if (variant === 'sotw') {
    const message = create(DiscoveryRequestSchema, {
      ...shared,
      versionInfo: request.version ?? '',
      resourceNames: names,
    });
    return Buffer.from(toBinary(DiscoveryRequestSchema, message));
  }
  const message = create(DeltaDiscoveryRequestSchema, {
    ...shared,
    resourceNamesSubscribe: names,
    resourceNamesUnsubscribe: [...(request.unsubscribe ?? [])],
    initialResourceVersions: { ...request.initialVersions },
  });
  return Buffer.from(toBinary(DeltaDiscoveryRequestSchema, message));
}

export function decodeResponse(variant: AdsVariant, bytes: Buffer): AdsResponse {
  return variant === 'sotw' ? decodeSotw(bytes) : decodeDelta(bytes);
}

function decodeSotw(bytes: Buffer): AdsResponse {
  const { typeUrl, nonce, versionInfo, resources } = fromBinary(DiscoveryResponseSchema, bytes);
  return {
    typeUrl,
    nonce,
    version: versionInfo,
    resources: resources.map((any) => {
      const name = readName(any.value);
      return { name, innerName: name, version: '', typeUrl: any.typeUrl, bytes: Buffer.from(any.value) };
    }),
    removed: [],
    size: bytes.length,
  };
}

function decodeDelta(bytes: Buffer): AdsResponse {
  const message = fromBinary(DeltaDiscoveryResponseSchema, bytes);
  return {
    typeUrl: message.typeUrl,
    nonce: message.nonce,
    version: message.systemVersionInfo,
    resources: message.resources.map(({ name, version, resource }) => {
      const value = resource?.value ?? new Uint8Array();
      return {
        name,
        innerName: readName(value),
        version,
        typeUrl: resource?.typeUrl ?? '',
        bytes: Buffer.from(value),
      };
    }),
    removed: message.removedResources,
    size: bytes.length,
  };
}

/** Field 1, which is the name in every type that xDS carries (Cluster, ClusterLoadAssignment, Listener, …). */
function readName(bytes: Uint8Array): string {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === 1 && wire === WireType.LengthDelimited) return reader.string();
    reader.skip(wire, field);
  }
  return '';
}
