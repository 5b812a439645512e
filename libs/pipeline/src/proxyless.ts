import { emitProxylessListener } from '@seine/compile';
import { memo } from '@seine/memo';
import { isHttp, type MeshService } from '@seine/model';
import type { Resource, ResourceSet } from '@seine/snapshot';
import { type HostPort, listedPorts } from './host-plans.js';
import { encodeListener } from './encode-listener.js';
import { hostRoutes } from './outbound-routes.js';
import { internSet } from './resource-sets.js';
import type { Scope } from './scope.js';
import type { Services } from './visibility.js';

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
export function proxylessListeners({ egress }: Scope): ResourceSet {
  if (egress.ports.length === 0) return internSet(listeners(dialable(egress.common.services)));
  return internSet(listeners(listedPorts(egress, dialable).map(({ host, port }): HostPort => [host, port])));
}

/** Their routes, under the same names. */
export function proxylessRoutes(scope: Scope): ResourceSet {
  return internSet(
    listedPorts(scope.egress, dialable).flatMap(
      ({ listing, host, port }) => hostRoutes(listing, scope, host, port) ?? [],
    ),
  );
}
