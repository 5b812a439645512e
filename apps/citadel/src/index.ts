/** The certificate authority as a Nest module. */
export { AuditLog } from './audit-log.js';
export * from './authenticators.js';
export { certificateApiServer, CitadelModule } from './citadel.module.js';
export { CitadelService, type CitadelOptions } from './citadel.service.js';
export { readPluggedIn, SigningDirectory } from './signing-directory.js';
