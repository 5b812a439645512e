import type { L4MatchAttributes, TLSMatchAttributes, VirtualServiceSpec } from '../networking/virtual-service.js';
import { hostsOverlap, hostWithin, isIP, isWildcardDomain } from './addresses.js';
import { checkWeightedDestinations } from './destination.js';
import {
  checkExportTo,
  checkGatewayNames,
  checkLabels,
  checkPort,
  checkPrefix,
  checkWildcardHost,
} from './field-checks.js';
import { checkHttpRoute } from './http-route.js';
import type { Scope } from '../validation/scope.js';
import { each } from './each.js';

/** A VirtualService without hosts holds routes for another one that delegates to it. */
function checkDelegateTarget(spec: VirtualServiceSpec, scope: Scope): void {
  if (spec.gateways && spec.gateways.length > 0)
    scope.at('gateways').error('a VirtualService without hosts is a delegate, which has no gateways of its own');
  for (const field of ['tls', 'tcp'] as const)
    if (spec[field] && spec[field].length > 0)
      scope.at(field).error('a VirtualService without hosts is a delegate, which has HTTP routes only');
}

function checkHosts(hosts: readonly string[], mesh: boolean, scope: Scope): void {
  each(hosts, scope, (host, at) => {
    if (host === '*' && mesh)
      at.error('wildcard host * is not allowed for virtual services bound to the mesh gateway; name gateways');
    else if (!isWildcardDomain(host) && !isIP(host))
      at.error(`${JSON.stringify(host)} is neither a DNS name (a leading wildcard is allowed) nor an IP address`);
  });
  hosts.forEach((host, i) => {
    const other = hosts.slice(0, i).find((earlier) => hostsOverlap(earlier, host));
    if (other !== undefined)
      scope
        .at(i)
        .error(`duplicate hosts in virtual service: ${JSON.stringify(host)} and ${JSON.stringify(other)} overlap`);
  });
}

function checkL4Match(match: L4MatchAttributes | TLSMatchAttributes, scope: Scope): void {
  each(match.destinationSubnets, scope.at('destinationSubnets'), checkPrefix);
  if (match.port !== undefined && match.port !== 0) checkPort(match.port, scope.at('port'));
  checkLabels(match.sourceLabels, scope.at('sourceLabels'));
  checkGatewayNames(match.gateways, scope.at('gateways'));
}

function checkSniHosts({ sniHosts }: TLSMatchAttributes, hosts: readonly string[], scope: Scope): void {
  if (sniHosts.length === 0) scope.error('a TLS match must have at least one SNI host');
  each(sniHosts, scope, (sni, at) => {
    checkWildcardHost(sni, at);
    if (hosts.length > 0 && !hosts.some((host) => hostWithin(sni, host)))
      at.error(
        `SNI host ${JSON.stringify(sni)} is not within any of the hosts of the virtual service: ${hosts.join(', ')}`,
      );
  });
}

function checkTls(spec: VirtualServiceSpec, scope: Scope): void {
  each(spec.tls, scope, ({ match, route }, at) => {
    if (match.length === 0) at.at('match').error('a TLS route must have at least one match');
    each(match, at.at('match'), (one, matchAt) => {
      checkSniHosts(one, spec.hosts ?? [], matchAt.at('sniHosts'));
      checkL4Match(one, matchAt);
    });
    if (!route || route.length === 0) at.at('route').error('a TLS route must have a destination');
    checkWeightedDestinations(route ?? [], at.at('route'));
  });
}

function checkTcp(spec: VirtualServiceSpec, scope: Scope): void {
  each(spec.tcp, scope, ({ match, route }, at) => {
    each(match, at.at('match'), (one, matchAt) => {
      checkL4Match(one, matchAt);
      if (!one.sourceSubnet) return;
      checkPrefix(one.sourceSubnet, matchAt.at('sourceSubnet'));
      matchAt
        .at('sourceSubnet')
        .warning('has no effect, as in Istio: match callers by sourceLabels or sourceNamespace', 'SEINE-UNSUPPORTED');
    });
    if (!route || route.length === 0) at.at('route').error('a TCP route must have a destination');
    checkWeightedDestinations(route ?? [], at.at('route'));
  });
}

/** A rule without conditions takes all requests, so that nothing after it is ever reached. */
function checkReachable(spec: VirtualServiceSpec, scope: Scope): void {
  const catchAll = spec.http?.findIndex(({ match }) => !match || match.length === 0) ?? -1;
  if (catchAll >= 0 && spec.http && catchAll < spec.http.length - 1)
    scope
      .at(catchAll + 1)
      .warning(
        `this rule and those after it are never used, since rule ${catchAll} has no match and takes all requests`,
      );
}

/** What Istio asks of a VirtualService beyond its schema. */
export function checkVirtualService(spec: VirtualServiceSpec, scope: Scope): void {
  const { hosts = [], gateways = [], http = [], tls = [], tcp = [] } = spec;
  checkGatewayNames(gateways, scope.at('gateways'));
  if (hosts.length === 0) checkDelegateTarget(spec, scope);
  checkHosts(hosts, gateways.length === 0 || gateways.includes('mesh'), scope.at('hosts'));
  if (http.length === 0 && tls.length === 0 && tcp.length === 0)
    scope.error('http, tcp or tls must be provided in a virtual service');
  each(http, scope.at('http'), checkHttpRoute);
  checkReachable(spec, scope.at('http'));
  checkTls(spec, scope.at('tls'));
  checkTcp(spec, scope.at('tcp'));
  checkExportTo(spec.exportTo, scope.at('exportTo'), { none: false });
}
