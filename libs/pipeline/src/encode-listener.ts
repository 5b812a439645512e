import {
  addNetworkExtensions,
  chainContext,
  type ChainPolicies,
  type ChainRole,
  hasNetworkExtensions,
} from '@seine/compile';
import { encodeResource } from '@seine/envoy';
import { type Listener, ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import type { MeshConfig } from '@seine/model';
import { type Resource, resource } from '@seine/snapshot';

export function encodeListener(listener: Listener): Resource {
  return resource(listener.name, encodeResource(ListenerSchema, listener));
}

/** Encodes the listeners of one side of a proxy, with the network filters that policies add to their chains. */
export function listenerEncoder(role: ChainRole, policies: ChainPolicies, config: MeshConfig) {
  if (!hasNetworkExtensions(policies)) return encodeListener;
  const context = chainContext(role, { policies, config });
  return (listener: Listener): Resource => encodeListener(addNetworkExtensions(listener, context));
}
