import { create, fromBinary, fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { envoyRegistry } from '@seine/envoy';
import { BootstrapSchema } from '@seine/envoy/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { EnvoyFilter } from '@seine/istio';
import {
  applyToCluster,
  clustersAdded,
  groupPatches,
  patchBootstrap,
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

describe('clusters', () => {
  const name = 'outbound|9080|v1|reviews.default.svc.cluster.local';
  const start = { name, connect_timeout: '10s', lb_policy: 'ROUND_ROBIN', respect_dns_ttl: true };
  function cluster(patches: readonly PatchYaml[], json: object = start, context?: PatchContext) {
    const bytes = toBinary(ClusterSchema, fromJson(ClusterSchema, json as JsonValue, options));
    const { message, problems } = applyToCluster(bytes, patchesOf(...patches), target(context));
    return { result: message && toJson(ClusterSchema, message, options), problems: problems.map((p) => p.message) };
  }
  const merge = (value: object, match?: object): PatchYaml => ({
    applyTo: 'CLUSTER',
    ...(match && { match: { cluster: match } }),
    patch: { operation: 'MERGE', value },
  });

  it.each([
    [{ name }, true],
    [{ name: 'other' }, false],
    [{ service: 'reviews.default.svc.cluster.local' }, true],
    [{ service: 'ratings.default.svc.cluster.local' }, false],
    [{ subset: 'v1', portNumber: 9080 }, true],
    [{ subset: 'v2' }, false],
    [{ portNumber: 9081 }, false],
  ])('are meant by %j: %s', (match, meant) => {
    const { result } = cluster([merge({ connect_timeout: '1.5s' }, match)]);
    expect((result as { connect_timeout: string }).connect_timeout).toBe(meant ? '1.500s' : '10s');
  });

  it('inbound ones by the services behind them', () => {
    const services = [{ host: 'reviews.default.svc.cluster.local' }];
    const inbound = { name: 'inbound|9080||', metadata: { filter_metadata: { istio: { services } } } };
    const patch = (service: string) => merge({ alt_stat_name: 'patched' }, { service });
    const of = (service: string) => cluster([patch(service)], inbound, 'SIDECAR_INBOUND').result;
    expect(of('reviews.default.svc.cluster.local')).toMatchObject({ alt_stat_name: 'patched' });
    expect(of('other')).not.toHaveProperty('alt_stat_name');
  });

  it('merge as Go does: messages deep, lists joined, map entries replaced, a wrapper’s zero without effect', () => {
    const from = {
      name: 'x',
      filters: [{ name: 'a' }],
      circuit_breakers: { thresholds: [{ max_connections: 1 }] },
      typed_extension_protocol_options: {
        a: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: 'old' },
      },
      metadata: { filter_metadata: { one: { a: 1 }, two: { b: 2 } } },
      per_connection_buffer_limit_bytes: 5,
      common_lb_config: { healthy_panic_threshold: { value: 1 }, update_merge_window: '1.5s' },
    };
    const value = {
      filters: [{ name: 'b' }],
      circuit_breakers: { thresholds: [{ max_retries: 2 }] },
      typed_extension_protocol_options: {
        a: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: 'new' },
      },
      metadata: { filter_metadata: { two: { c: 3 } } },
      per_connection_buffer_limit_bytes: 0,
      common_lb_config: { update_merge_window: '2s' },
    };
    expect(cluster([merge(value)], from).result).toEqual({
      ...from,
      filters: [{ name: 'a' }, { name: 'b' }],
      circuit_breakers: { thresholds: [{ max_connections: 1 }, { max_retries: 2 }] },
      typed_extension_protocol_options: {
        a: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: 'new' },
      },
      metadata: { filter_metadata: { one: { a: 1 }, two: { c: 3 } } },
      common_lb_config: { healthy_panic_threshold: { value: 1 }, update_merge_window: '2s' },
    });
  });

  it('have their transport socket merged or replaced, and nothing else of such a patch', () => {
    const tls = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';
    const socket = (socketName: string, sni: string) => ({ name: socketName, typed_config: { '@type': tls, sni } });
    const with_ = (transport_socket: object, more: object = {}) => ({ name: 'x', transport_socket, ...more });
    const patch = merge({ transport_socket: socket('tls', 'new'), alt_stat_name: 'ignored' });
    expect(cluster([patch], with_(socket('tls', 'old'))).result).toEqual(with_(socket('tls', 'new')));
    expect(cluster([patch], with_(socket('other', 'old'))).result).toEqual(with_(socket('tls', 'new')));
    const choices = { name: 'x', transport_socket_matches: [{ name: 'm', transport_socket: socket('tls', 'old') }] };
    expect(JSON.stringify(cluster([patch], choices).result)).toContain('"sni":"new"');
  });

  it('are removed, and keep what a refused patch would break', () => {
    expect(cluster([{ applyTo: 'CLUSTER', patch: { operation: 'REMOVE' } }]).result).toBeUndefined();
    const { result, problems } = cluster([merge({ connect_timeout: '-1s' }), merge({ alt_stat_name: 'good' })]);
    expect(result).toMatchObject({ connect_timeout: '10s', alt_stat_name: 'good' });
    expect(problems).toEqual([expect.stringMatching(/Cluster\.connect_timeout: .*must be > 0/)]);
  });

  it('are added once', () => {
    const add: PatchYaml = { applyTo: 'CLUSTER', patch: { operation: 'ADD', value: { name: 'new' } } };
    const { messages, problems } = clustersAdded(patchesOf(add, add), [target(), target('SIDECAR_INBOUND')]);
    expect([messages.map((c) => c.name), problems.map((p) => p.message)]).toEqual([
      ['new'],
      ['Envoy would refuse it: the name is taken'],
    ]);
  });

  it('never change the patch', () => {
    const patches = patchesOf(merge({ filters: [{ name: 'a' }] }));
    const bytes = toBinary(ClusterSchema, create(ClusterSchema, { name: 'x' }));
    const once = applyToCluster(bytes, patches, target()).message;
    const twice = applyToCluster(toBinary(ClusterSchema, once!), patches, target()).message;
    expect(twice?.filters).toHaveLength(2);
    expect(applyToCluster(bytes, patches, target()).message?.filters).toHaveLength(1);
  });
});

it('BOOTSTRAP is merged into', () => {
  const patches = patchesOf(
    {
      applyTo: 'BOOTSTRAP',
      patch: { operation: 'MERGE', value: { stats_flush_interval: '1s', node: { cluster: 'c' } } },
    },
    { applyTo: 'BOOTSTRAP', patch: { operation: 'REMOVE' } },
  );
  const merged = patchBootstrap(create(BootstrapSchema, { node: { id: 'i' } }), patches);
  expect(toJson(BootstrapSchema, fromBinary(BootstrapSchema, toBinary(BootstrapSchema, merged)), options)).toEqual({
    node: { id: 'i', cluster: 'c' },
    stats_flush_interval: '1s',
  });
});
