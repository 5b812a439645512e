import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import { type Filter, FilterSchema } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { FilterConfigSchema } from '@seine/envoy/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy_pb.js';
import { isTls, type MeshConfig, type MeshService, type ServicePort } from '@seine/model';
import { emitDnsCache } from '../discovery-type/discovery-type.js';

/** Whether connections say by their SNI alone which host of a wildcard service is meant (resolution DYNAMIC_DNS). */
export function namesItsHostBySni(service: MeshService, port: ServicePort): boolean {
  return service.resolution === 'dynamic-dns' && isTls(port.protocol);
}

/** Looks up the host of the SNI before tcp_proxy connects; its cache is the cluster's, where the answer is read. */
export function emitSniForwardProxy({ host }: MeshService, port: number, config: MeshConfig): Filter {
  const typedConfig = toAny(FilterConfigSchema, {
    dnsCacheConfig: emitDnsCache(host, config),
    portSpecifier: { case: 'portValue', value: port },
  });
  return create(FilterSchema, {
    name: 'envoy.filters.network.sni_dynamic_forward_proxy',
    configType: { case: 'typedConfig', value: typedConfig },
  });
}
