import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '@seine/envoy/envoy/service/discovery/v3/discovery_pb.js';

function method<I extends DescMessage, O extends DescMessage>(name: string, request: I, response: O) {
  return {
    path: `/envoy.service.secret.v3.SecretDiscoveryService/${name}`,
    requestStream: true,
    responseStream: true,
    requestSerialize: (message: MessageShape<I>) => Buffer.from(toBinary(request, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(request, bytes),
    responseSerialize: (message: MessageShape<O>) => Buffer.from(toBinary(response, message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(response, bytes),
  } as const;
}

/** Envoy's secret discovery service as gRPC libraries take it, with messages as protobuf-es has them. */
export const secretDiscoveryService = {
  StreamSecrets: method('StreamSecrets', DiscoveryRequestSchema, DiscoveryResponseSchema),
  DeltaSecrets: method('DeltaSecrets', DeltaDiscoveryRequestSchema, DeltaDiscoveryResponseSchema),
} as const;
