/** The node's agent as a Nest module. */
export { AgentMetrics } from './agent.metrics.js';
export { AgentModule } from './agent.module.js';
export { AgentService, type AgentOptions } from './agent.service.js';
export { type BundleFeed, citadelBundleFeed } from './bundle-feed.js';
export { MergedMetricsModule } from './metrics/merged-metrics.module.js';
export { MergedMetrics, type MetricsTarget } from './metrics/merged-metrics.service.js';
export { scrapeTarget } from './metrics/scrape-annotations.js';
export { RecordDirectory, type RecordStore } from './record-store.js';
export { WorkloadsApi } from './workloads-api.js';
export { citadelClient, type CitadelClientOptions, FileWatcher } from '@seine/identity';
export type { WorkloadArguments } from './config.js';
