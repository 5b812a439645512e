import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { paintFor } from '../output/colour.js';
import { renderTable } from '../output/table.js';
import { clusterHeader, clusterRows, selectClusters } from './cluster-rows.js';
import {
  clustersOf,
  formatAddress,
  listenersOf,
  objectBehind,
  refusalsOf,
  routeConfigurationsOf,
  type ClustersAnswer,
  type ConfigDump,
} from './config-dump.js';
import { endpointHeader, endpointRows, selectEndpoints } from './endpoint-rows.js';
import type { Filters } from './filters.js';
import { describeMatch, listenerHeader, listenerRows, selectListeners } from './listener-rows.js';
import { describeRouteMatch, routeHeader, routeRows, selectRoutes } from './route-rows.js';

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`testdata/${name}`, import.meta.url), 'utf8'));
// Both are answers of a real Envoy 1.40.
const dump = read('config-dump.json') as ConfigDump;
const clusters = read('clusters.json') as ClustersAnswer;
const plain = paintFor({ env: {} }, false);

const clusterTable = (f: Filters) =>
  renderTable(clusterHeader, clusterRows(selectClusters(clustersOf(dump), f)), plain);
const listenerTable = (f: Filters) =>
  renderTable(listenerHeader, listenerRows(selectListeners(listenersOf(dump), f)), plain);
const routeTable = (f: Filters) =>
  renderTable(routeHeader, routeRows(selectRoutes(routeConfigurationsOf(dump), f)), plain);
const endpointTable = (f: Filters) =>
  renderTable(endpointHeader, endpointRows(selectEndpoints(clusters.cluster_statuses ?? [], f)), plain);

describe('tables of a real Envoy', () => {
  it.each([
    ['clusters', clusterTable],
    ['listeners', listenerTable],
    ['routes', routeTable],
    ['endpoints', endpointTable],
  ])('%s', (_case, table) => {
    expect(`\n${table({})}`).toMatchSnapshot();
  });
});

describe('filters', () => {
  const count = (table: string): number => table.trimEnd().split('\n').length - 1;
  it.each<[string, (f: Filters) => string, Filters, number]>([
    ['clusters by host', clusterTable, { fqdn: 'reviews' }, 3],
    ['clusters by subset', clusterTable, { fqdn: 'reviews', subset: 'v1' }, 1],
    ['clusters by direction', clusterTable, { direction: 'INBOUND' }, 1],
    ['clusters by port', clusterTable, { port: 443 }, 1],
    ['clusters by name', clusterTable, { name: 'xds-grpc' }, 1],
    ['no such cluster', clusterTable, { name: 'nobody' }, 0],
    ['listeners by port', listenerTable, { port: 3306 }, 1],
    ['listeners by direction', listenerTable, { direction: 'inbound' }, 2],
    ['listeners by name', listenerTable, { name: 'virtualOutbound' }, 2],
    ['routes by name', routeTable, { name: 'http_proxy' }, 2],
    ['routes by host', routeTable, { fqdn: 'ratings' }, 1],
    ['routes by port', routeTable, { port: 9080 }, 8],
    ['endpoints by cluster', endpointTable, { name: 'outbound|9080|v1|reviews.default.svc.cluster.local' }, 1],
    ['endpoints by port', endpointTable, { port: 15010 }, 1],
    ['endpoints by host and subset', endpointTable, { fqdn: 'reviews', subset: '' }, 3],
  ])('%s', (_case, table, filters, rows) => {
    expect(count(table(filters))).toBe(rows);
  });
});

describe('refusalsOf', () => {
  it('names the listener Envoy refused, once', () => {
    expect(refusalsOf(dump)).toEqual([
      expect.stringMatching(/^Envoy refused the listener broken: error adding listener '127\.0\.0\.1:1': filter chain/),
    ]);
  });
});

describe('describeMatch', () => {
  it.each([
    [undefined, 'ALL'],
    [{}, 'ALL'],
    [{ application_protocols: ['http/1.1', 'h2c'] }, 'App: HTTP'],
    [{ transport_protocol: 'tls', application_protocols: ['istio-http/1.1', 'istio-h2'] }, 'Trans: tls; App: HTTP TLS'],
    [{ application_protocols: ['istio'] }, 'App: istio'],
    [{ server_names: ['a.b', 'c.d'] }, 'SNI: a.b,c.d'],
    [{ prefix_ranges: [{ address_prefix: '10.0.0.5', prefix_len: 32 }], destination_port: 80 }, 'Addr: 10.0.0.5/32:80'],
    [{ destination_port: 9080 }, 'Addr: *:9080'],
  ])('%j is %s', (match, text) => {
    expect(describeMatch(match)).toBe(text);
  });
});

describe('describeRouteMatch', () => {
  it.each([
    [undefined, '/*'],
    [{ prefix: '/api' }, '/api*'],
    [{ headers: [{ name: 'x', invert_match: true, present_match: true }] }, '/* !x'],
    [{ headers: [{ name: 'x', invert_match: true, string_match: { exact: '1' } }] }, '/* x!=1'],
    [{ headers: [{ name: 'x', string_match: { safe_regex: { regex: 'a.*' } } }] }, '/* x~a.*'],
    [{ headers: [{ name: 'x', string_match: { suffix: 'z' } }] }, '/* x=*z'],
    [{ query_parameters: [{ name: 'q', string_match: { prefix: 'z' } }] }, '/* ?q=z*'],
  ])('%j is %s', (match, text) => {
    expect(describeRouteMatch(match)).toBe(text);
  });
});

describe('small parts', () => {
  it.each([
    [{ socket_address: { address: '::1', port_value: 80 } }, '[::1]:80'],
    [{ pipe: { path: '/run/x' } }, 'unix:///run/x'],
    [{ envoy_internal_address: { server_listener_name: 'main' } }, 'envoy://main'],
    [undefined, ''],
  ])('address %j is %s', (address, text) => {
    expect(formatAddress(address)).toBe(text);
  });

  it.each([
    ['/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews', 'reviews.default'],
    ['', ''],
  ])('object behind %j is %s', (config, text) => {
    expect(objectBehind({ filter_metadata: { istio: { config } } })).toBe(text);
  });
});
