/** The certificate authority as a Nest module. */
export { adminTokenName } from './admin/admin-token.js';
export * from './authenticators/impersonation.js';
export * from './authenticators/join-token.js';
export * from './authenticators/token-review.js';
export { CitadelMetrics } from './citadel.metrics.js';
export { certificateApiServer, CitadelModule } from './citadel.module.js';
export { CitadelService, type CitadelOptions } from './citadel.service.js';
export { type CitadelArguments, parseArguments } from './config.js';
export { openCitadel, type OpenOptions } from './open-citadel.js';
export { readPluggedIn } from './state/plugged-in.js';
