import { fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { envoyRegistry } from '@seine/envoy';
import { ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import type { EnvoyFilter } from '@seine/istio';
import {
  applyToListener,
  groupPatches,
  listenersAdded,
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
const cors = (name: string) => ({ name, typed_config: { '@type': extension('http', 'cors', 'Cors') } });
const jwt = { name: 'jwt', typed_config: { '@type': extension('http', 'jwt_authn', 'JwtAuthentication') } };
const rbac = { name: 'rbac', typed_config: { '@type': extension('http', 'rbac', 'RBAC') } };
const tcp = (name: string) => ({
  name,
  typed_config: { '@type': extension('network', 'tcp_proxy', 'TcpProxy'), stat_prefix: 'x', cluster: 'x' },
});
const networkRbac = (name: string) => ({
  name,
  typed_config: { '@type': extension('network', 'rbac', 'RBAC'), stat_prefix: name },
});
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
const httpListener = (...filters: readonly object[]) => listenerOf([{ filters: [manager([...filters, router])] }]);

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

interface Chain {
  readonly name?: string;
  readonly filters: readonly {
    readonly name: string;
    readonly typed_config: { readonly http_filters?: readonly { readonly name: string }[] };
  }[];
}
const chainsOf = (result: unknown) => (result as { readonly filter_chains?: readonly Chain[] }).filter_chains ?? [];
const httpNames = (result: unknown) =>
  chainsOf(result)[0]?.filters[0]?.typed_config.http_filters?.map(({ name }) => name);
const networkNames = (result: unknown) => chainsOf(result)[0]?.filters.map(({ name }) => name);

const inManager = (subFilter?: string, more: object = {}) => ({
  listener: {
    filterChain: { filter: { name: managerName, ...(subFilter && { subFilter: { name: subFilter } }) } },
    ...more,
  },
});
const httpFilter = (operation: string, match: Json, value: object | undefined, more: object = {}): PatchYaml => ({
  applyTo: 'HTTP_FILTER',
  match,
  patch: { operation, ...(value && { value }), ...more },
});

describe('HTTP_FILTER', () => {
  const start = httpListener(cors('a'), cors('b'));
  const last = router.name;
  it.each<[string, PatchYaml, string[]]>([
    ['INSERT_FIRST', httpFilter('INSERT_FIRST', inManager(), cors('new')), ['new', 'a', 'b', last]],
    ['INSERT_BEFORE a filter', httpFilter('INSERT_BEFORE', inManager('b'), cors('new')), ['a', 'new', 'b', last]],
    ['INSERT_AFTER a filter', httpFilter('INSERT_AFTER', inManager('a'), cors('new')), ['a', 'new', 'b', last]],
    ['INSERT_BEFORE none', httpFilter('INSERT_BEFORE', inManager(), cors('new')), ['new', 'a', 'b', last]],
    ['INSERT_BEFORE a stranger', httpFilter('INSERT_BEFORE', inManager('z'), cors('new')), ['a', 'b', last]],
    ['ADD: not behind the router', httpFilter('ADD', inManager(), cors('new')), ['a', 'b', 'new', last]],
    ['REPLACE', httpFilter('REPLACE', inManager('a'), cors('new')), ['new', 'b', last]],
    ['REMOVE', httpFilter('REMOVE', inManager('a'), undefined), ['b', last]],
    ['REMOVE without a filter', httpFilter('REMOVE', inManager(), undefined), ['a', 'b', last]],
    ['MERGE of a name', httpFilter('MERGE', inManager('a'), { name: 'renamed' }), ['renamed', 'b', last]],
    [
      'another context',
      httpFilter('INSERT_FIRST', { context: 'GATEWAY', ...inManager() }, cors('new')),
      ['a', 'b', last],
    ],
    [
      'another port',
      httpFilter('INSERT_FIRST', inManager(undefined, { portNumber: 81 }), cors('new')),
      ['a', 'b', last],
    ],
    [
      'its port',
      httpFilter('INSERT_FIRST', inManager(undefined, { portNumber: 80 }), cors('new')),
      ['new', 'a', 'b', last],
    ],
    [
      'another listener',
      httpFilter('INSERT_FIRST', inManager(undefined, { name: 'other' }), cors('new')),
      ['a', 'b', last],
    ],
  ])('%s', (_what, patch, names) => {
    const { result, problems } = listener(start, [patch]);
    expect([httpNames(result), problems]).toEqual([names, []]);
  });

  it.each([
    ['AUTHN', ['jwt', 'new', 'rbac', 'a', last]],
    ['AUTHZ', ['jwt', 'rbac', 'new', 'a', last]],
    ['STATS', ['jwt', 'rbac', 'new', 'a', last]],
    ['UNSPECIFIED', ['jwt', 'rbac', 'a', 'new', last]],
  ])('ADD with filterClass %s', (filterClass, names) => {
    const patch = httpFilter('ADD', inManager(), cors('new'), { filterClass });
    expect(httpNames(listener(httpListener(jwt, rbac, cors('a')), [patch]).result)).toEqual(names);
  });

  it('merges configs of one type, and leaves alone one of another type, with a word', () => {
    const buffer = (bytes: number) => ({
      name: 'x',
      typed_config: { '@type': extension('http', 'buffer', 'Buffer'), max_request_bytes: bytes },
    });
    const merged = listener(httpListener(buffer(1)), [httpFilter('MERGE', inManager('x'), buffer(2))]);
    expect(JSON.stringify(merged.result)).toContain('"max_request_bytes":2');
    const other = listener(httpListener(cors('x')), [httpFilter('MERGE', inManager('x'), buffer(2))]);
    expect(other.problems).toEqual([expect.stringMatching(/has a .*Cors, not a .*Buffer/)]);
    expect(JSON.stringify(other.result)).not.toContain('max_request_bytes');
  });

  it('opens a TypedStruct, so that more can be merged into it', () => {
    const opaque = {
      name: 'x',
      typed_config: {
        '@type': 'type.googleapis.com/udpa.type.v1.TypedStruct',
        type_url: extension('http', 'buffer', 'Buffer'),
        value: { max_request_bytes: 7 },
      },
    };
    const { result } = listener(httpListener(), [httpFilter('INSERT_FIRST', inManager(), opaque)]);
    expect(JSON.stringify(result)).toContain(
      '{"max_request_bytes":7,"@type":"type.googleapis.com/envoy.extensions.filters.http.buffer',
    );
  });

  it('sends what only Envoy knows as a TypedStruct, and nothing that plain Envoy lacks', () => {
    const newer = { name: 'a2a', typed_config: { '@type': extension('http', 'a2a', 'A2a'), any: 'thing' } };
    const { result } = listener(httpListener(), [httpFilter('INSERT_FIRST', inManager(), newer)]);
    expect(JSON.stringify(result)).toContain(`"type_url":"${extension('http', 'a2a', 'A2a')}","value":{"any":"thing"}`);
    const istio = { name: 'stats', typed_config: { '@type': 'type.googleapis.com/stats.PluginConfig' } };
    expect(httpNames(listener(httpListener(), [httpFilter('INSERT_FIRST', inManager(), istio)]).result)).toEqual([
      router.name,
    ]);
  });
});

describe('EXTENSION_CONFIG', () => {
  const discovered = (source: object) =>
    httpFilter('INSERT_FIRST', inManager(), {
      name: 'x',
      config_discovery: { config_source: source, type_urls: [extension('http', 'cors', 'Cors')] },
    });
  const config: PatchYaml = { applyTo: 'EXTENSION_CONFIG', patch: { operation: 'ADD', value: cors('x') } };

  it('stands where a filter would discover it from the control plane', () => {
    const text = JSON.stringify(listener(httpListener(), [discovered({ ads: {} }), config]).result);
    expect(text).toContain('Cors');
    expect(text).not.toContain('config_discovery');
  });

  it('gives way to the default, and without one the filter is left out', () => {
    const lone = listener(httpListener(), [discovered({ ads: {} })]);
    expect(httpNames(lone.result)).toEqual([router.name]);
    expect(lone.problems).toEqual([expect.stringMatching(/the filter x has no config/)]);
    const patch = discovered({ ads: {} }).patch as { readonly value: { readonly config_discovery: object } };
    const config_discovery = { ...patch.value.config_discovery, default_config: cors('x').typed_config };
    const value = { name: 'x', config_discovery };
    expect(httpNames(listener(httpListener(), [httpFilter('INSERT_FIRST', inManager(), value)]).result)).toEqual([
      'x',
      router.name,
    ]);
  });

  it('leaves alone what Seine serves itself, as WebAssembly modules', () => {
    const config_discovery = { config_source: { ads: {} }, type_urls: [extension('http', 'wasm', 'Wasm')] };
    const own = { name: 'extensions.istio.io/wasmplugin/default.auth', config_discovery };
    const { result, problems } = listener(httpListener(own), [httpFilter('INSERT_FIRST', inManager(), cors('a'))]);
    expect([httpNames(result), problems]).toEqual([['a', own.name, router.name], []]);
  });

  it('does not where the filter discovers it from elsewhere', () => {
    const { result } = listener(httpListener(), [discovered({ path_config_source: { path: '/x' } }), config]);
    expect(JSON.stringify(result)).toContain('config_discovery');
  });
});

describe('NETWORK_FILTER', () => {
  const start = listenerOf([{ filters: [networkRbac('a'), tcp('tcp')] }]);
  const patch = (operation: string, filter: string | undefined, value?: object): PatchYaml => ({
    applyTo: 'NETWORK_FILTER',
    match: { listener: { filterChain: { ...(filter && { filter: { name: filter } }) } } },
    patch: { operation, ...(value && { value }) },
  });
  it.each<[string, PatchYaml, string[]]>([
    ['INSERT_FIRST', patch('INSERT_FIRST', undefined, networkRbac('new')), ['new', 'a', 'tcp']],
    ['INSERT_AFTER', patch('INSERT_AFTER', 'a', networkRbac('new')), ['a', 'new', 'tcp']],
    ['ADD: not behind the last', patch('ADD', undefined, networkRbac('new')), ['a', 'new', 'tcp']],
    ['REPLACE', patch('REPLACE', 'tcp', tcp('other')), ['a', 'other']],
    ['REMOVE', patch('REMOVE', 'a'), ['tcp']],
  ])('%s', (_what, yaml, names) => {
    expect(networkNames(listener(start, [yaml]).result)).toEqual(names);
  });

  it('merges, and replaces lists where told to', () => {
    const upgrade = (operation: string) =>
      JSON.stringify(
        listener(listenerOf([{ filters: [manager([router], { upgrade_configs: [{ upgrade_type: 'websocket' }] })] }]), [
          {
            applyTo: 'NETWORK_FILTER',
            match: inManager(),
            patch: {
              operation,
              value: {
                typed_config: {
                  '@type': extension('network', 'http_connection_manager', 'HttpConnectionManager'),
                  upgrade_configs: [{ upgrade_type: 'CONNECT' }],
                },
              },
            },
          },
        ]).result,
      ).match(/"upgrade_configs":\[[^\]]*\]/)?.[0];
    expect(upgrade('MERGE')).toBe('"upgrade_configs":[{"upgrade_type":"websocket"},{"upgrade_type":"CONNECT"}]');
    expect(upgrade('MERGE_AND_REPLACE_LIST')).toBe('"upgrade_configs":[{"upgrade_type":"CONNECT"}]');
  });
});

describe('filter chains', () => {
  const chain = (name: string, match: object) => ({ name, filter_chain_match: match, filters: [tcp(name)] });
  const start = listenerOf(
    [
      chain('sni', { server_names: ['a.example.com'], transport_protocol: 'tls' }),
      chain('alpn', { application_protocols: ['h2', 'http/1.1'], transport_protocol: 'raw_buffer' }),
      chain('port', { destination_port: 9080 }),
    ],
    { name: 'virtualInbound' },
  );
  const remove = (match: object): PatchYaml => ({
    applyTo: 'FILTER_CHAIN',
    match: { listener: match },
    patch: { operation: 'REMOVE' },
  });
  it.each([
    [{ filterChain: { name: 'sni' } }, ['alpn', 'port']],
    [{ filterChain: { sni: 'a.example.com' } }, ['alpn', 'port']],
    [{ filterChain: { sni: 'b.example.com' } }, ['sni', 'alpn', 'port']],
    [{ filterChain: { transportProtocol: 'raw_buffer' } }, ['sni', 'port']],
    [{ filterChain: { applicationProtocols: 'h2' } }, ['sni', 'port']],
    [{ filterChain: { applicationProtocols: 'h2,http/1.0' } }, ['sni', 'alpn', 'port']],
    [{ filterChain: { destinationPort: 9080 } }, ['sni', 'alpn']],
    [{ portNumber: 9080 }, ['sni', 'alpn']],
    [{ name: 'virtualInbound', portNumber: 9081 }, ['sni', 'alpn', 'port']],
  ])('REMOVE by %j', (match, names) => {
    const { result } = listener(start, [remove(match)], 'SIDECAR_INBOUND');
    expect(chainsOf(result).map(({ name }) => name)).toEqual(names);
  });

  it('MERGE into a transport socket of the same name merges what is in it', () => {
    const tlsType = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';
    const socket = (more: object) => ({
      name: 'envoy.transport_sockets.tls',
      typed_config: { '@type': tlsType, ...more },
    });
    const secured = listenerOf([
      { filters: [tcp('x')], transport_socket: socket({ require_client_certificate: true }) },
    ]);
    const value = { transport_socket: socket({ common_tls_context: { alpn_protocols: ['h2'] } }) };
    const { result } = listener(secured, [{ applyTo: 'FILTER_CHAIN', patch: { operation: 'MERGE', value } }]);
    const merged = { require_client_certificate: true, common_tls_context: { alpn_protocols: ['h2'] } };
    expect(chainsOf(result)[0]).toMatchObject({ transport_socket: { typed_config: merged } });
  });

  it('ADD adds one', () => {
    const add: PatchYaml = {
      applyTo: 'FILTER_CHAIN',
      patch: { operation: 'ADD', value: chain('new', { destination_port: 1 }) },
    };
    expect(chainsOf(listener(start, [add]).result).map(({ name }) => name)).toEqual(['sni', 'alpn', 'port', 'new']);
  });
});

describe('listeners', () => {
  it('are merged into, and removed', () => {
    const merge: PatchYaml = { applyTo: 'LISTENER', patch: { operation: 'MERGE', value: { stat_prefix: 'mine' } } };
    expect(listener(httpListener(), [merge]).result).toMatchObject({ stat_prefix: 'mine' });
    const remove: PatchYaml = {
      applyTo: 'LISTENER',
      match: { listener: { portNumber: 80 } },
      patch: { operation: 'REMOVE' },
    };
    expect(listener(httpListener(), [remove]).result).toBeUndefined();
  });

  it('have listener filters', () => {
    const inspector = (name: string) => ({
      name,
      typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector' },
    });
    const start = { ...httpListener(), listener_filters: [inspector('a')] };
    const names = (operation: string, match: object | undefined, value?: object) =>
      (
        listener(start, [
          {
            applyTo: 'LISTENER_FILTER',
            ...(match && { match: { listener: match } }),
            patch: { operation, ...(value && { value }) },
          },
        ]).result as { readonly listener_filters?: readonly { readonly name: string }[] }
      ).listener_filters?.map(({ name }) => name);
    expect(names('INSERT_FIRST', undefined, inspector('b'))).toEqual(['b', 'a']);
    expect(names('INSERT_AFTER', { listenerFilter: 'a' }, inspector('b'))).toEqual(['a', 'b']);
    expect(names('REPLACE', { listenerFilter: 'a' }, inspector('b'))).toEqual(['b']);
    expect(names('REMOVE', { listenerFilter: 'a' })).toBeUndefined();
    expect(names('REMOVE', undefined)).toEqual(['a']);
    expect(names('MERGE', { listenerFilter: 'a' }, { name: 'b' })).toEqual(['b']);
  });

  it('are added once to a sidecar, and only if Envoy takes them', () => {
    const add = (value: object, context?: string): PatchYaml => ({
      applyTo: 'LISTENER',
      ...(context && { match: { context } }),
      patch: { operation: 'ADD', value },
    });
    const both = [target('SIDECAR_OUTBOUND'), target('SIDECAR_INBOUND')];
    const good = { ...httpListener(), name: 'good' };
    const { messages, problems } = listenersAdded(
      patchesOf(
        add(good),
        add({ ...good, name: 'inbound' }, 'SIDECAR_INBOUND'),
        add({ name: 'empty', address: address(1) }),
        add(good, 'GATEWAY'),
      ),
      both,
    );
    expect(messages.map(({ name }) => name)).toEqual(['good', 'inbound']);
    expect(problems.map(({ resource, message }) => [resource, message])).toEqual([
      ['empty', 'Envoy would refuse it: no filter chain is left'],
    ]);
  });
});

describe('what Envoy would refuse', () => {
  it('is left out, and the other patches are there', () => {
    const { result, problems } = listener(httpListener(), [
      httpFilter('INSERT_FIRST', inManager(), cors('good')),
      httpFilter('INSERT_AFTER', inManager(), cors('behind the router')),
      httpFilter('INSERT_FIRST', inManager(), {
        name: 'bad',
        typed_config: { '@type': extension('http', 'buffer', 'Buffer'), max_request_bytes: 0 },
      }),
      httpFilter('INSERT_FIRST', inManager(), { name: 'untyped' }),
    ]);
    expect(httpNames(result)).toEqual(['good', router.name]);
    expect(problems).toEqual([
      expect.stringMatching(/the filter envoy\.filters\.http\.router must be the last one/),
      expect.stringMatching(/max_request_bytes: is 0, must be > 0/),
      expect.stringMatching(/the filter untyped has no typed_config/),
    ]);
  });

  it('may be mended by a later patch', () => {
    const { result, problems } = listener(httpListener(), [
      httpFilter('REMOVE', inManager(router.name), undefined),
      httpFilter('INSERT_AFTER', inManager(), { ...router, name: 'my-router' }),
      httpFilter('INSERT_FIRST', inManager(), { name: 'untyped' }),
    ]);
    expect([httpNames(result), problems]).toEqual([['my-router'], [expect.stringMatching(/untyped has no/)]]);
  });

  it('is a listener without a chain', () => {
    const { result, problems } = listener(httpListener(), [
      { applyTo: 'FILTER_CHAIN', patch: { operation: 'REMOVE' } },
    ]);
    expect([httpNames(result), problems]).toEqual([[router.name], ['Envoy would refuse it: no filter chain is left']]);
  });
});
