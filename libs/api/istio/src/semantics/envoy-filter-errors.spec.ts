import { check } from './check-errors.fixture.js';

const patch = (applyTo: string, operation: string, more: object = {}): object => ({
  configPatches: [{ applyTo, patch: { operation, value: { name: 'x', typed_config: lua } }, ...more }],
});
const lua = { '@type': 'type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua', inline_code: 'x' };
const valued = (applyTo: string, operation: string, value: object): object =>
  patch(applyTo, operation, { patch: { operation, value } });
const filtered = (applyTo: string, filter: object): object =>
  patch(applyTo, 'REMOVE', { match: { listener: { filterChain: { filter } } }, patch: { operation: 'REMOVE' } });
const manager = 'envoy.filters.network.http_connection_manager';
const [at, value] = ['spec.configPatches[0]', 'spec.configPatches[0].patch.value'];
const matched = `${at}.match.listener.filterChain.filter`;

check('EnvoyFilter', [
  ['an inserted filter', patch('HTTP_FILTER', 'INSERT_BEFORE', { match: { listener: {} } })],
  [
    'nothing to apply to',
    { configPatches: [{ patch: { operation: 'MERGE', value: {} } }] },
    'spec.configPatches[0].applyTo',
  ],
  ['no patch', { configPatches: [{ applyTo: 'CLUSTER' }] }, 'spec.configPatches[0].patch'],
  [
    'no operation',
    { configPatches: [{ applyTo: 'CLUSTER', patch: { value: {} } }] },
    'spec.configPatches[0].patch.operation',
  ],
  ['no value', { configPatches: [{ applyTo: 'CLUSTER', patch: { operation: 'MERGE' } }] }, value],
  ['a removal', { configPatches: [{ applyTo: 'CLUSTER', patch: { operation: 'REMOVE' } }] }],
  ['a cluster by a listener', valued('CLUSTER', 'MERGE', {})],
  [
    'a match of something else',
    { configPatches: [{ applyTo: 'CLUSTER', match: { listener: {} }, patch: { operation: 'REMOVE' } }] },
    `${at}.match.listener`,
  ],
  ['an inserted cluster, which is an added one', valued('CLUSTER', 'INSERT_FIRST', { name: 'x' })],
  [
    'a version that is no expression',
    {
      configPatches: [{ applyTo: 'CLUSTER', match: { proxy: { proxyVersion: '(' } }, patch: { operation: 'REMOVE' } }],
    },
    `${at}.match.proxy.proxyVersion`,
  ],
  [
    'a class of clusters',
    patch('CLUSTER', 'ADD', { patch: { operation: 'ADD', value: { name: 'x' }, filterClass: 'AUTHZ' } }),
    `warning ${at}.patch.filterClass`,
  ],
  ['a filter match without a name', filtered('NETWORK_FILTER', {}), `${matched}.name`],
  ['a former name', filtered('NETWORK_FILTER', { name: 'envoy.tcp_proxy' }), `warning ${matched}.name`],
  [
    'a filter inside a network filter',
    filtered('NETWORK_FILTER', { name: manager, subFilter: { name: 'x' } }),
    `${matched}.subFilter`,
  ],
  [
    'a filter inside another filter',
    filtered('HTTP_FILTER', { name: 'a', subFilter: { name: 'x' } }),
    `${matched}.subFilter`,
  ],
  [
    'an inner filter without a name',
    filtered('HTTP_FILTER', { name: manager, subFilter: {} }),
    `${matched}.subFilter.name`,
  ],
  ['a filter of a listener', filtered('LISTENER', { name: manager }), `warning ${matched}`],
  ['a value that is none', valued('CLUSTER', 'MERGE', { connect_timeout: '5 minutes' }), `${value}.connect_timeout`],
  [
    'a value deep down that is none',
    valued('HTTP_FILTER', 'ADD', { name: 'x', typed_config: { ...lua, inline_code: 1 } }),
    `${value}.typed_config.inline_code`,
  ],
  [
    'a field that does not exist',
    valued('CLUSTER', 'MERGE', { conect_timeout: '5s' }),
    `warning ${value}.conect_timeout`,
  ],
  [
    'a type that does not exist',
    valued('HTTP_FILTER', 'ADD', { name: 'x', typed_config: { '@type': 'type.googleapis.com/a.B' } }),
    `${value}.typed_config["@type"]`,
  ],
  [
    'a type of Istio’s proxy',
    valued('HTTP_FILTER', 'ADD', { name: 'x', typed_config: { '@type': 'type.googleapis.com/stats.PluginConfig' } }),
    `warning ${value}.typed_config["@type"]`,
  ],
  [
    'a value that Envoy refuses',
    valued('CLUSTER', 'ADD', { name: 'x', connect_timeout: '0s' }),
    `warning ${value}.connect_timeout`,
  ],
  ['a filter by name alone', valued('HTTP_FILTER', 'ADD', { name: 'envoy.filters.http.lua' }), `warning ${value}`],
  ['a Service as target', { targetRefs: [{ kind: 'Service', name: 'a' }] }, 'warning spec.targetRefs[0].kind'],
  ['a Gateway as target', { targetRefs: [{ kind: 'Gateway', name: 'a' }] }],
  ['a waypoint', { configPatches: [{ match: { context: 'WAYPOINT', waypoint: {} } }] }, `warning ${at}.match.context`],
]);
