/** The registry as a Nest module, for its own program and for those that compose several. */
export type { ConfigApiAccess } from './access.js';
export { configApiServer, RegistryModule, type RegistryModuleOptions } from './registry.module.js';
export { type AppliedResult, type DeletedResult, type ObjectId, RegistryService } from './registry.service.js';
