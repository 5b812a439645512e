import { create } from '@bufbuild/protobuf';
import { durationOf, toEnvoyJson } from '@seine/envoy';
import { type Bootstrap, BootstrapSchema } from '@seine/envoy/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { ApiConfigSource_ApiType, ApiVersion } from '@seine/envoy/envoy/config/core/v3/config_source_pb.js';
import { renderNode } from './bootstrap-node.js';
import type { BootstrapOptions } from './bootstrap-options.js';
import { renderStatsConfig, renderStatsSinks } from './bootstrap-stats.js';
import { adminAddress, renderStaticClusters, renderStaticListeners, xdsClusterName } from './bootstrap-static.js';

/** What an Envoy of the mesh starts with: who it is, where pilot is, its admin interface. All else comes by xDS. */
export function renderBootstrap(options: BootstrapOptions): Bootstrap {
  const { settings = {}, agentSocket } = options;
  const workloadCertificates = agentSocket !== undefined || options.node.workloadCertificates;
  const ads = {
    configSourceSpecifier: { case: 'ads' as const, value: {} },
    // Wait for pilot for ever: a proxy that gives up would serve without its listeners.
    initialFetchTimeout: durationOf(0),
    resourceApiVersion: ApiVersion.V3,
  };
  return create(BootstrapSchema, {
    node: renderNode({ ...options.node, workloadCertificates }, options.settings),
    admin: { address: adminAddress(options) },
    staticResources: { clusters: renderStaticClusters(options), listeners: renderStaticListeners(options) },
    dynamicResources: {
      ldsConfig: ads,
      cdsConfig: ads,
      adsConfig: {
        apiType: ApiConfigSource_ApiType.DELTA_GRPC,
        transportApiVersion: ApiVersion.V3,
        setNodeOnFirstMessageOnly: true,
        grpcServices: [
          { targetSpecifier: { case: 'envoyGrpc', value: { clusterName: xdsClusterName, retryPolicy: reconnect } } },
        ],
      },
    },
    layeredRuntime: {
      layers: [
        {
          name: 'global config',
          layerSpecifier: { case: 'staticLayer', value: { ...runtime, ...settings.runtimeValues } },
        },
        // Last, so that what is set through the admin interface wins.
        { name: 'admin', layerSpecifier: { case: 'adminLayer', value: {} } },
      ],
    },
    statsConfig: renderStatsConfig(options.stats, settings),
    statsSinks: renderStatsSinks(settings),
  });
}

/** The bootstrap as the JSON text that `envoy -c` reads. */
export function bootstrapJson(options: BootstrapOptions): string {
  return `${JSON.stringify(toEnvoyJson(BootstrapSchema, renderBootstrap(options)), null, 2)}\n`;
}

/**
 * How long until an Envoy comes back to a pilot that went away. Envoy starts its back-off anew only after a response,
 * and a delta client that holds everything already gets none: with the default of 30 s each restart of pilot would take
 * longer to be noticed than the last.
 */
const reconnect = { retryBackOff: { baseInterval: durationOf(500), maxInterval: durationOf(5000) } };

const runtime = {
  // Users' regexes may be large; Envoy's default of 100 refuses ordinary ones (Istio's value).
  're2.max_program_size.error_level': 32_768,
};
