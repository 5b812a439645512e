import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { withCertificates } from './certificates.js';
import { envoyBinary } from './envoy.js';

/** What a proxy gets, as JSON with Envoy's field names: the form of `seinectl compile`. */
export interface CompiledConfig {
  readonly listeners: readonly unknown[];
  readonly routes: readonly unknown[];
  readonly clusters: readonly unknown[];
  readonly endpoints: readonly unknown[];
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Has Envoy validate a proxy's whole configuration (`--mode validate`): as static resources, with routes inlined into
 * their listeners and endpoints into their clusters, so that it checks those too.
 * @param folder has what `makeCertificate` makes
 * @returns what Envoy says against it; empty when it takes it
 */
export async function validateConfig(folder: string, config: CompiledConfig): Promise<string> {
  const file = path.join(folder, 'validate.json');
  fs.writeFileSync(file, withCertificates(JSON.stringify(bootstrapOf(config)), folder));
  const envoy = await envoyBinary();
  return await new Promise((resolve) => {
    execFile(envoy, ['--mode', 'validate', '-c', file, '--log-level', 'error'], (error, stdout, stderr) => {
      resolve(error ? `${stdout}${stderr}`.trim() || error.message : '');
    });
  });
}

function bootstrapOf({ listeners, routes, clusters, endpoints }: CompiledConfig): Json {
  const routesByName = new Map(routes.map((route) => [(route as Json)['name'], route]));
  const endpointsByName = new Map(endpoints.map((item) => [(item as Json)['cluster_name'], item]));
  const pilot = { name: 'pilot', type: 'STATIC', connect_timeout: '1s' };
  const agent = { ...pilot, name: 'sds-grpc' };
  // The way to pilot that every bootstrap has: WebAssembly modules come by it.
  const modules = { ...pilot, name: 'xds-grpc' };
  return {
    node: { id: 'validate', cluster: 'validate' },
    dynamic_resources: {
      ads_config: { api_type: 'GRPC', grpc_services: [{ envoy_grpc: { cluster_name: pilot.name } }] },
    },
    static_resources: {
      listeners: listeners.map((listener) => inlineRoutes(listener, routesByName)),
      clusters: [
        pilot,
        agent,
        modules,
        ...clusters.map((cluster) => inlineEndpoints(cluster as Json, endpointsByName)),
      ],
    },
  };
}

/** The same JSON with `rds` replaced by the route configuration of that name, wherever it stands. */
function inlineRoutes(value: unknown, routes: ReadonlyMap<unknown, unknown>): unknown {
  if (Array.isArray(value)) return value.map((item) => inlineRoutes(item, routes));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const route = key === 'rds' ? routes.get((item as Json)['route_config_name']) : undefined;
      return route === undefined ? [key, inlineRoutes(item, routes)] : ['route_config', route];
    }),
  );
}

function inlineEndpoints(cluster: Json, endpoints: ReadonlyMap<unknown, unknown>): Json {
  const { eds_cluster_config: eds, ...rest } = cluster;
  const assignment = endpoints.get((eds as Json | undefined)?.['service_name'] ?? cluster['name']);
  if (cluster['type'] !== 'EDS' || assignment === undefined) return cluster;
  return { ...rest, type: 'STATIC', load_assignment: assignment };
}
