import type { Row } from '../output/table.js';
import {
  objectBehind,
  type HeaderMatch,
  type QueryMatch,
  type Route,
  type RouteConfiguration,
  type RouteMatch,
  type StringMatch,
  type VirtualHost,
  type WeightedClusters,
} from './config-dump.js';
import { compareText } from './compare-text.js';
import type { Filters } from './filters.js';

export const routeHeader = ['NAME', 'VHOST NAME', 'DOMAINS', 'MATCH', 'DESTINATION', 'VIRTUAL SERVICE'];

/** Route configurations by name; `fqdn` keeps virtual hosts with such a domain, `port` the configurations or hosts of a port. */
export function selectRoutes(routes: readonly RouteConfiguration[], filters: Filters): RouteConfiguration[] {
  return routes
    .filter((route) => filters.name === undefined || route.name === filters.name)
    .map((route) => ({
      ...route,
      virtual_hosts: (route.virtual_hosts ?? []).filter((host) => passes(route, host, filters)),
    }))
    .filter((route) => route.virtual_hosts.length > 0 || (filters.fqdn === undefined && filters.port === undefined))
    .sort((a, b) => compareText(a.name ?? '', b.name ?? ''));
}

function passes(route: RouteConfiguration, host: VirtualHost, filters: Filters): boolean {
  const { fqdn, port } = filters;
  const fqdnPasses = fqdn === undefined || (host.domains ?? []).some((domain) => domain.includes(fqdn));
  const portPasses =
    port === undefined ||
    (route.name ?? '').split(/[.:|]/).includes(String(port)) ||
    (host.name ?? '').endsWith(`:${port}`);
  return fqdnPasses && portPasses;
}

/** One row for each route, in the order in which Envoy tries them. */
export function routeRows(routes: readonly RouteConfiguration[]): Row[] {
  return routes.flatMap((configuration) =>
    (configuration.virtual_hosts ?? []).flatMap((host) =>
      (host.routes ?? []).map((route) => ({
        cells: [
          configuration.name ?? '',
          host.name ?? '',
          describeDomains(host.domains ?? []),
          describeRouteMatch(route.match),
          describeAction(route),
          objectBehind(route.metadata),
        ],
      })),
    ),
  );
}

/** The first two, and how many more. */
export function describeDomains(domains: readonly string[]): string {
  const shown = domains.slice(0, 2).join(', ');
  return domains.length > 2 ? `${shown} + ${domains.length - 2} more...` : shown;
}

export function describeRouteMatch(match: RouteMatch | undefined): string {
  const conditions = [
    ...(match?.headers ?? []).map(describeHeader),
    ...(match?.query_parameters ?? []).map(describeQuery),
  ];
  return [describePath(match), ...conditions].join(' ');
}

function describePath(match: RouteMatch | undefined): string {
  if (match?.connect_matcher) return 'CONNECT';
  if (match?.path !== undefined) return match.path;
  if (match?.path_separated_prefix !== undefined) return `${match.path_separated_prefix}/*`;
  if (match?.safe_regex) return `regex ${match.safe_regex.regex ?? ''}`;
  return `${match?.prefix ?? '/'}*`;
}

function describeHeader(header: HeaderMatch): string {
  const name = header.name ?? '';
  if (header.string_match) return `${name}${header.invert_match ? '!' : ''}${describeString(header.string_match)}`;
  return header.invert_match ? `!${name}` : name;
}

function describeQuery(query: QueryMatch): string {
  return `?${query.name ?? ''}${query.string_match ? describeString(query.string_match) : ''}`;
}

function describeString(match: StringMatch): string {
  if (match.exact !== undefined) return `=${match.exact}`;
  if (match.prefix !== undefined) return `=${match.prefix}*`;
  if (match.suffix !== undefined) return `=*${match.suffix}`;
  if (match.contains !== undefined) return `=*${match.contains}*`;
  return `~${match.safe_regex?.regex ?? ''}`;
}

function describeAction(route: Route): string {
  if (route.direct_response) return `answer ${route.direct_response.status ?? 0}`;
  if (route.redirect) return describeRedirect(route.redirect);
  if (route.route?.weighted_clusters) return describeWeights(route.route.weighted_clusters);
  return route.route?.cluster ?? route.route?.cluster_header ?? '-';
}

function describeRedirect(redirect: NonNullable<Route['redirect']>): string {
  const scheme = redirect.https_redirect ? 'https' : redirect.scheme_redirect;
  const host = `${redirect.host_redirect ?? ''}${redirect.port_redirect ? `:${redirect.port_redirect}` : ''}`;
  const path = redirect.path_redirect ?? (redirect.prefix_rewrite ? `${redirect.prefix_rewrite}*` : '');
  return `redirect to ${scheme ? `${scheme}://` : ''}${host}${path}`;
}

/** `a 80, b 20`. */
export function describeWeights(weighted: WeightedClusters): string {
  return (weighted.clusters ?? []).map((c) => `${c.name ?? ''} ${c.weight ?? 0}`).join(', ');
}
