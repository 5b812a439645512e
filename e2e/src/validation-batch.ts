import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { withCertificates } from './certificates.js';
import { envoyBinary } from './envoy.js';

type Json = Readonly<Record<string, unknown>>;
export type BatchKind = 'clusters' | 'endpoints' | 'listeners' | 'routes';

interface Item {
  readonly kind: BatchKind;
  readonly resource: Json;
  /** Whose fault it is when Envoy does not take it. */
  readonly origin: string;
}

/**
 * Collects resources of many configurations and has Envoy validate them in one go, as one static configuration: each
 * under a name and an address of its own, routes in a listener made for them, endpoints in such a cluster.
 */
export class ValidationBatch {
  #items: Item[] = [];

  /** @param folder has what `makeCertificate` makes */
  constructor(private readonly folder: string) {}

  get size(): number {
    return this.#items.length;
  }

  add(kind: BatchKind, resource: Json, origin: string): void {
    this.#items.push({ kind, resource, origin });
  }

  /** Validates and forgets what was collected. @returns what Envoy says, with the origin; empty when it takes all */
  async flush(): Promise<readonly string[]> {
    const items = this.#items;
    this.#items = [];
    return items.length === 0 ? [] : await this.#refused(items);
  }

  /** Envoy stops at the first fault: the halves are asked again until each faulty one stands alone (three will do). */
  async #refused(items: readonly Item[]): Promise<readonly string[]> {
    const said = await this.#validate(items);
    if (said === '') return [];
    const [only] = items;
    if (items.length === 1 && only) return [`${only.origin}: ${said}\n${JSON.stringify(only.resource)}`];
    const half = items.length >> 1;
    const first = await this.#refused(items.slice(0, half));
    const rest = first.length < 3 ? await this.#refused(items.slice(half)) : [];
    return first.length + rest.length > 0 ? [...first, ...rest] : [`only together: ${said}`];
  }

  async #validate(items: readonly Item[]): Promise<string> {
    const file = path.join(this.folder, 'batch.json');
    fs.writeFileSync(file, withCertificates(JSON.stringify(bootstrap(items)), this.folder));
    const envoy = await envoyBinary();
    return await new Promise((resolve) => {
      execFile(envoy, ['--mode', 'validate', '-c', file, '--log-level', 'error'], (error, stdout, stderr) => {
        resolve(error ? `${stdout}${stderr}`.trim() || error.message : '');
      });
    });
  }
}

function bootstrap(items: readonly Item[]): Json {
  const pilot = { name: 'pilot', type: 'STATIC', connect_timeout: '1s' };
  const of = (kind: BatchKind) => items.filter((item) => item.kind === kind).map(({ resource }) => resource);
  const endpoints = of('endpoints').map((assignment, i) => ({
    name: `endpoints-${i}`,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: assignment,
  }));
  return {
    node: { id: 'validate', cluster: 'validate' },
    dynamic_resources: {
      ads_config: { api_type: 'GRPC', grpc_services: [{ envoy_grpc: { cluster_name: pilot.name } }] },
    },
    static_resources: {
      clusters: [pilot, ...of('clusters').map((cluster, i) => ({ ...cluster, name: `${i}` })), ...endpoints],
      listeners: [...of('listeners').map((listener, i) => renamed(listener, i)), ...of('routes').map(listenerOfRoutes)],
    },
  };
}

/** Ports of loopback addresses: none is bound, but no two listeners may have the same. */
function addressOf(i: number, protocol = 'TCP'): Json {
  return { socket_address: { protocol, address: `127.0.${i >> 14}.1`, port_value: 1024 + (i & 16383) } };
}

function renamed(listener: Json, i: number): Json {
  const { socket_address: socket } = listener['address'] as {
    readonly socket_address?: { readonly protocol?: string };
  };
  return { ...listener, name: `listener-${i}`, address: addressOf(i, socket?.protocol) };
}

function listenerOfRoutes(routes: Json, i: number): Json {
  const config = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'routes',
    // The clusters are in the batch under other names.
    route_config: { ...routes, validate_clusters: false },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
  return {
    name: `routes-${i}`,
    address: addressOf(40_000 + i),
    filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: config }] }],
  };
}
