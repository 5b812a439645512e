import type { HTTPMatchRequest } from '@seine/istio';
import { labelsMatch } from '@seine/model';
import type { RouteClient } from '../../inputs.js';
import { meshGateway, qualifyGateway } from '../routing/gateway-name.js';

/**
 * Whether a match can apply to a client at all: the conditions Envoy does not know (`port`, `gateways`, `sourceLabels`,
 * `sourceNamespace`). A match that cannot is left out of the client's routes.
 * @param namespace the VirtualService's
 */
export function concernsClient(
  match: HTTPMatchRequest | undefined,
  client: RouteClient,
  port: number,
  namespace: string,
): boolean {
  if (!match) return true;
  if (match.port && match.port !== port) return false;
  const gateways = match.gateways ?? [];
  if (gateways.length > 0) {
    if (!gateways.some((name) => qualifyGateway(name, namespace) === client.gateway)) return false;
    // A match that names gateways has its source conditions for the mesh alone.
    if (client.gateway !== meshGateway) return true;
  }
  if (match.sourceNamespace && match.sourceNamespace !== client.namespace) return false;
  return labelsMatch(match.sourceLabels, client.labels);
}
