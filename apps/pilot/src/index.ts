/** Pilot as a Nest module: ADS from the mesh log. */
export * from './pilot.module.js';
export * from './pilot.service.js';
export type { ProxySync, SyncReport, TypeSync } from './proxy-sync.js';
export type { SecureXdsOptions } from './secure-xds.js';
