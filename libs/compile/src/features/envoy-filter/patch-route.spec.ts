import { fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { envoyRegistry } from '@seine/envoy';
import { ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import { RouteConfigurationSchema } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import type { EnvoyFilter } from '@seine/istio';
import {
  applyToListener,
  applyToRoutes,
  groupPatches,
  type PatchContext,
  type PatchTarget,
  readPatches,
} from './envoy-filter.js';

type Json = Readonly<Record<string, unknown>>;
interface PatchYaml {
  readonly applyTo: string;
  readonly match?: Json;
  readonly patch: Json;
}

const options = { registry: envoyRegistry(), useProtoFieldName: true };
const extension = (kind: string, name: string, message: string) =>
  `type.googleapis.com/envoy.extensions.filters.${kind}.${name}.v3.${message}`;
const managerName = 'envoy.filters.network.http_connection_manager';
const router = { name: 'envoy.filters.http.router', typed_config: { '@type': extension('http', 'router', 'Router') } };
const manager = (httpFilters: readonly object[], more: object = {}) => ({
  name: managerName,
  typed_config: {
    '@type': extension('network', 'http_connection_manager', 'HttpConnectionManager'),
    stat_prefix: 'x',
    rds: { route_config_name: 'r', config_source: { ads: {} } },
    http_filters: httpFilters,
    ...more,
  },
});
const address = (port: number) => ({ socket_address: { address: '0.0.0.0', port_value: port } });
const listenerOf = (chains: readonly object[], more: object = {}) => ({
  name: '0.0.0.0_80',
  address: address(80),
  filter_chains: chains,
  ...more,
});

function patchesOf(...patches: readonly PatchYaml[]) {
  const filter = {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name: 'f', namespace: 'default' },
    spec: { configPatches: patches },
  };
  return groupPatches(readPatches(filter as unknown as EnvoyFilter));
}

const target = (context: PatchContext = 'SIDECAR_OUTBOUND', more: Partial<PatchTarget> = {}): PatchTarget => ({
  context,
  explicit: false,
  servicePorts: new Map(),
  ...more,
});

function listener(json: object, patches: readonly PatchYaml[], context?: PatchContext) {
  const bytes = toBinary(ListenerSchema, fromJson(ListenerSchema, json as JsonValue, options));
  const { message, problems } = applyToListener(bytes, patchesOf(...patches), target(context));
  const result = message && toJson(ListenerSchema, message, options);
  return { result, problems: problems.map((p) => p.message) };
}

describe('routes', () => {
  const route = (name: string, more: object = { route: { cluster: 'x' } }) => ({
    name,
    match: { prefix: '/' },
    ...more,
  });
  const start = {
    name: '9080',
    virtual_hosts: [
      {
        name: 'reviews:9080',
        domains: ['reviews'],
        routes: [route('a'), route('b', { redirect: { host_redirect: 'x' } })],
      },
      { name: 'ratings:9080', domains: ['ratings'], routes: [route('c', { direct_response: { status: 200 } })] },
    ],
  };
  function routes(patches: readonly PatchYaml[], on: PatchTarget = target(), json: object = start) {
    const bytes = toBinary(RouteConfigurationSchema, fromJson(RouteConfigurationSchema, json as JsonValue, options));
    const { message, problems } = applyToRoutes(bytes, patchesOf(...patches), on);
    const hosts = message?.virtualHosts.map((host) => [host.name, ...host.routes.map(({ name }) => name)].join(' '));
    return { message, hosts, problems: problems.map((p) => p.message) };
  }
  const httpRoute = (operation: string, routeConfiguration: object, value?: object): PatchYaml => ({
    applyTo: 'HTTP_ROUTE',
    match: { routeConfiguration },
    patch: { operation, ...(value && { value }) },
  });
  const reviews = { vhost: { name: 'reviews:9080' } };

  it.each<[string, PatchYaml, string[]]>([
    ['ADD', httpRoute('ADD', reviews, route('n')), ['reviews:9080 a b n', 'ratings:9080 c']],
    ['INSERT_FIRST', httpRoute('INSERT_FIRST', reviews, route('n')), ['reviews:9080 n a b', 'ratings:9080 c']],
    [
      'INSERT_FIRST by a route',
      httpRoute('INSERT_FIRST', { vhost: { route: { name: 'b' } } }, route('n')),
      ['reviews:9080 n a b', 'ratings:9080 c'],
    ],
    [
      'INSERT_BEFORE',
      httpRoute('INSERT_BEFORE', { vhost: { route: { name: 'b' } } }, route('n')),
      ['reviews:9080 a n b', 'ratings:9080 c'],
    ],
    [
      'INSERT_AFTER',
      httpRoute('INSERT_AFTER', { vhost: { route: { name: 'a' } } }, route('n')),
      ['reviews:9080 a n b', 'ratings:9080 c'],
    ],
    [
      'REMOVE by what the route does',
      httpRoute('REMOVE', { vhost: { route: { action: 'REDIRECT' } } }),
      ['reviews:9080 a', 'ratings:9080 c'],
    ],
    [
      'REMOVE by domain',
      httpRoute('REMOVE', { vhost: { domainName: 'ratings' } }),
      ['reviews:9080 a b', 'ratings:9080'],
    ],
    [
      'MERGE',
      httpRoute('MERGE', { vhost: { route: { name: 'c' } } }, { name: 'm' }),
      ['reviews:9080 a b', 'ratings:9080 m'],
    ],
    ['another port', httpRoute('ADD', { portNumber: 80 }, route('n')), ['reviews:9080 a b', 'ratings:9080 c']],
    [
      'its port',
      httpRoute('ADD', { portNumber: 9080, ...reviews }, route('n')),
      ['reviews:9080 a b n', 'ratings:9080 c'],
    ],
    [
      'REMOVE of a virtual host',
      { applyTo: 'VIRTUAL_HOST', match: { routeConfiguration: reviews }, patch: { operation: 'REMOVE' } },
      ['ratings:9080 c'],
    ],
    [
      'ADD of a virtual host',
      { applyTo: 'VIRTUAL_HOST', patch: { operation: 'ADD', value: { name: 'n', domains: ['n'] } } },
      ['reviews:9080 a b', 'ratings:9080 c', 'n'],
    ],
    [
      'REPLACE of a virtual host',
      {
        applyTo: 'VIRTUAL_HOST',
        match: { routeConfiguration: reviews },
        patch: { operation: 'REPLACE', value: { name: 'n', domains: ['n'] } },
      },
      ['n', 'ratings:9080 c'],
    ],
  ])('%s', (_what, patch, hosts) => {
    expect(routes([patch])).toMatchObject({ hosts, problems: [] });
  });

  it('leaves out a virtual host whose domains are taken', () => {
    const value = { name: 'again', domains: ['REVIEWS'] };
    const { hosts, problems } = routes([{ applyTo: 'VIRTUAL_HOST', patch: { operation: 'ADD', value } }]);
    expect(hosts).toEqual(['reviews:9080 a b', 'ratings:9080 c']);
    expect(problems).toEqual(['Envoy would refuse it: the domain reviews is there twice']);
  });

  it('of a gateway are meant by the ports of its Services, the port’s name, and the Gateway', () => {
    const merged = (name: string, routeConfiguration: object) => {
      const patch: PatchYaml = {
        applyTo: 'ROUTE_CONFIGURATION',
        match: { context: 'GATEWAY', routeConfiguration },
        patch: { operation: 'MERGE', value: { most_specific_header_mutations_wins: true } },
      };
      const on = target('GATEWAY', { servicePorts: new Map([[8080, [80]]]) });
      return routes([patch], on, { name }).message?.mostSpecificHeaderMutationsWins;
    };
    expect(merged('http.8080', { portNumber: 80 })).toBe(true);
    expect(merged('http.8080', { portNumber: 8080 })).toBe(false);
    expect(merged('http.9090', { portNumber: 9090 })).toBe(true);
    const secure = 'https.443.https.my-gateway.istio-system';
    expect(merged(secure, { portNumber: 443, portName: 'https', gateway: 'istio-system/my-gateway' })).toBe(true);
    expect(merged(secure, { gateway: 'default/my-gateway' })).toBe(false);
    expect(merged(secure, { portName: 'http' })).toBe(false);
  });

  it('of all ports in one are meant by the port of the virtual host', () => {
    const json = {
      name: 'http_proxy',
      virtual_hosts: [
        { name: 'a:80', domains: ['a'] },
        { name: 'a:81', domains: ['b'] },
      ],
    };
    const patch = httpRoute('ADD', { portNumber: 81 }, route('n'));
    expect(routes([patch], target('SIDECAR_OUTBOUND', { explicit: true }), json).hosts).toEqual(['a:80', 'a:81 n']);
  });

  it('that stand in an inbound listener are patched there', () => {
    const config = {
      ...manager([router]).typed_config,
      rds: undefined,
      route_config: { ...start, name: 'inbound|9080||' },
    };
    const inbound = listenerOf([
      { filters: [{ name: managerName, typed_config: JSON.parse(JSON.stringify(config)) as object }] },
    ]);
    const patch = httpRoute('MERGE', { portNumber: 9080, vhost: { route: { name: 'c' } } }, { name: 'patched' });
    expect(JSON.stringify(listener(inbound, [patch], 'SIDECAR_INBOUND').result)).toContain('"name":"patched"');
    const other = httpRoute('MERGE', { portNumber: 9081 }, { name: 'patched' });
    expect(JSON.stringify(listener(inbound, [other], 'SIDECAR_INBOUND').result)).not.toContain('patched');
  });
});
