import { create } from '@bufbuild/protobuf';
import { durationOf } from './duration.js';
import {
  ApiConfigSource_ApiType,
  ApiVersion,
  ConfigSourceSchema,
} from './gen/envoy/config/core/v3/config_source_pb.js';
import {
  type SdsSecretConfig,
  SdsSecretConfigSchema,
} from './gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';

/** A secret that Envoy asks a cluster for, on a stream of its own, and waits for as long as it takes. */
export function grpcSecret(name: string, clusterName: string): SdsSecretConfig {
  return create(SdsSecretConfigSchema, {
    name,
    sdsConfig: create(ConfigSourceSchema, {
      configSourceSpecifier: {
        case: 'apiConfigSource',
        value: {
          apiType: ApiConfigSource_ApiType.GRPC,
          transportApiVersion: ApiVersion.V3,
          setNodeOnFirstMessageOnly: true,
          grpcServices: [{ targetSpecifier: { case: 'envoyGrpc', value: { clusterName } } }],
        },
      },
      initialFetchTimeout: durationOf(0),
      resourceApiVersion: ApiVersion.V3,
    }),
  });
}
