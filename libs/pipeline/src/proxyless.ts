import { emitProxylessListener } from '@seine/compile';
import { memo } from '@seine/memo';
import { isHttp, type MeshService } from '@seine/model';
import type { Resource, ResourceSet } from '@seine/snapshot';
import { encodeListener } from './outbound-listeners.js';
import { hostRoutes } from './outbound-routes.js';
import { internSet } from './resource-sets.js';
import type { Scope } from './scope.js';
import type { Services } from './visibility.js';

type HostPort = readonly [host: string, port: number];

/** gRPC libraries dial one host and port; wildcards can not be dialled. */
const dialable = memo('dialable', (services: Services): readonly HostPort[] =>
  [...services.values()]
    .filter((service) => !service.host.includes('*'))
    .flatMap((service: MeshService) =>
      service.ports
        .filter((p) => isHttp(p.protocol) || p.protocol === 'auto')
        .map((p): HostPort => [service.host, p.port]),
    ),
);

const listeners = memo('proxylessListeners', (ports: readonly HostPort[]): readonly Resource[] =>
  ports.map(([host, port]) => encodeListener(emitProxylessListener(host, port))),
);

/** API listeners, one a port of a service, for gRPC libraries without a sidecar. */
export function proxylessListeners({ services }: Scope): ResourceSet {
  return internSet(listeners(dialable(services)));
}

/** Their routes, under the same names. */
export function proxylessRoutes({ services, rules, index, routes, config }: Scope): ResourceSet {
  return internSet(
    dialable(services).flatMap(([host, port]) => hostRoutes(services, rules, index, routes, config, host, port) ?? []),
  );
}
