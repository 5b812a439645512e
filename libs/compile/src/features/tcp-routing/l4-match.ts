import type { VirtualService } from '@seine/istio';
import { fullyQualify, hostMatches, labelsMatch, type MeshConfig } from '@seine/model';
import type { RouteClient } from '../../inputs.js';
import { meshGateway, qualifyGateway } from '../routing/gateway-name.js';

/** The conditions that `tcp` and `tls` matches share and that Envoy does not test: they are decided here. */
export interface L4ClientMatch {
  readonly port?: number | undefined;
  readonly sourceLabels?: Readonly<Record<string, string>> | undefined;
  readonly sourceNamespace?: string | undefined;
  readonly gateways?: readonly string[] | undefined;
}

/** Whether a route with this match concerns the client on this port. */
export function clientMatches(
  match: L4ClientMatch,
  virtualService: VirtualService,
  client: RouteClient,
  port: number,
): boolean {
  const gateways = match.gateways?.length ? match.gateways : undefined;
  return (
    (match.port === undefined || match.port === 0 || match.port === port) &&
    (gateways === undefined || namesGateway(gateways, virtualService, client.gateway)) &&
    (!match.sourceNamespace || match.sourceNamespace === client.namespace) &&
    (client.gateway !== meshGateway || labelsMatch(match.sourceLabels, client.labels))
  );
}

/** Whether the VirtualService is bound to the gateway (`mesh` where it names none). */
export function servesGateway(virtualService: VirtualService, gateway: string): boolean {
  const gateways = virtualService.spec.gateways;
  return namesGateway(gateways?.length ? gateways : [meshGateway], virtualService, gateway);
}

function namesGateway(gateways: readonly string[], virtualService: VirtualService, wanted: string): boolean {
  return gateways.some((name) => qualifyGateway(name, virtualService.metadata.namespace) === wanted);
}

/** The VirtualServices with a host that covers `host`, for this client; order as given. */
export function virtualServicesOf(
  host: string,
  virtualServices: readonly VirtualService[],
  client: RouteClient,
  config: MeshConfig,
): readonly VirtualService[] {
  return virtualServices.filter(
    (virtualService) =>
      servesGateway(virtualService, client.gateway) &&
      (virtualService.spec.hosts ?? []).some((pattern) =>
        hostMatches(fullyQualify(pattern, virtualService.metadata.namespace, config.clusterDomain), host),
      ),
  );
}
