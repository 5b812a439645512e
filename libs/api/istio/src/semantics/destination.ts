import type { Destination } from '../networking/virtual-service.js';
import { isIP, isLabel, isWildcardDomain } from './addresses.js';
import { checkPort } from './field-checks.js';
import type { Scope } from '../validation/scope.js';
import { each } from './each.js';

export function checkDestination(destination: Destination, scope: Scope): void {
  const { host, subset, port } = destination;
  if (host === '*' || (!isWildcardDomain(host) && !isIP(host)))
    scope.at('host').error(`${JSON.stringify(host)} is not the name of a service`);
  if (subset !== undefined && subset !== '' && !isLabel(subset))
    scope.at('subset').error(`${JSON.stringify(subset)} is not the name of a subset`);
  if (port) checkPort(port.number, scope.at('port', 'number'));
}

interface Weighted {
  readonly destination: Destination;
  readonly weight?: number | undefined;
}

/** Destinations that traffic is spread over. Weights need not add up to 100, but something must be left to share. */
export function checkWeightedDestinations(route: readonly Weighted[], scope: Scope): void {
  each(route, scope, ({ destination }, at) => checkDestination(destination, at.at('destination')));
  const total = route.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
  if (route.length > 1 && total === 0) scope.error('the weights of several destinations must add up to more than 0');
  if (total > 4294967295) scope.error('the weights add up to more than 4294967295');
}
