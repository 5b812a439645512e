/** The node's agent as a Nest module. */
export { AgentMetrics } from './agent.metrics.js';
export { AgentModule } from './agent.module.js';
export { AgentService, type AgentOptions } from './agent.service.js';
export { citadelClient, type CitadelClientOptions, FileWatcher } from '@seine/identity';
export type { WorkloadArguments } from './config.js';
