import { create } from '@bufbuild/protobuf';
import { grpcSecret } from '@seine/envoy';
import { ApiVersion, ConfigSourceSchema } from '@seine/envoy/envoy/config/core/v3/config_source_pb.js';
import {
  type SdsSecretConfig,
  SdsSecretConfigSchema,
} from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';

/** The agent beside the proxy, as the bootstrap calls it. */
export const agentClusterName = 'sds-grpc';
/** The workload's own certificate, and what the mesh's certificates are verified with. */
export const workloadSecretName = 'default';
export const meshAuthorityName = 'ROOTCA';
/** The roots of the own trust domain, for a context that may let in who shows no certificate. */
export const ownAuthorityName = 'ROOTCA-OWN';

/**
 * A secret that pilot serves on the ADS stream. No initial_fetch_timeout of 0: a secret that never comes must not hold
 * up the listener or cluster for ever, whose other chains work without it.
 */
export function pilotSecret(name: string): SdsSecretConfig {
  return create(SdsSecretConfigSchema, {
    name,
    sdsConfig: create(ConfigSourceSchema, {
      configSourceSpecifier: { case: 'ads', value: {} },
      resourceApiVersion: ApiVersion.V3,
    }),
  });
}

/** A secret that the agent serves: nothing works without. */
export function agentSecret(name: string): SdsSecretConfig {
  return grpcSecret(name, agentClusterName);
}
