import { hasErrors } from '@seine/diagnostics';
import type { Proxy } from '@seine/model';
import { parseConfig } from '@seine/source-file';
import type { ConfigDump } from '../proxy-config/config-dump.js';

/**
 * What the Envoy of a workload would say that it has, were this YAML its mesh.
 * @param proxy where it is unlike what stands beside the workload by itself
 */
export async function compiledDump(yaml: string, workload: string, proxy: Partial<Proxy> = {}): Promise<ConfigDump> {
  const [{ defaultMeshConfig }, { compileProxy }] = await Promise.all([
    import('@seine/model'),
    import('@seine/pipeline'),
  ]);
  const { objects, diagnostics } = parseConfig(yaml, 'test.yaml');
  if (hasErrors(diagnostics)) throw new Error(JSON.stringify(diagnostics));
  const { resources } = compileProxy({ objects, workload, config: defaultMeshConfig, proxy });
  if (!resources) throw new Error(`no workload ${workload}`);
  const { listeners, clusters, extensions, endpoints } = resources;
  const sections = [
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.EndpointsConfigDump',
      dynamic_endpoint_configs: endpoints.map((config) => ({ endpoint_config: config })),
    },
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.BootstrapConfigDump',
      bootstrap: { node: { metadata: { LABELS: proxy.labels ?? {} } } },
    },
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.ListenersConfigDump',
      dynamic_listeners: listeners.map((listener) => ({ active_state: { listener } })),
    },
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.ClustersConfigDump',
      dynamic_active_clusters: clusters.map((cluster) => ({ cluster })),
    },
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.EcdsConfigDump',
      ecds_filters: extensions.map((filter) => ({ ecds_filter: filter })),
    },
  ];
  return { configs: sections } as unknown as ConfigDump;
}
