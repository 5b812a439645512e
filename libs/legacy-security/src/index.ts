/** Istio's security kinds of 1.0 to 1.5 in the words of today's. */
export { isLegacySecurity, isReadWithLegacySecurity, type LegacySecurityOptions } from './input.js';
export { legacySecurityStatuses } from './statuses.js';
export { type LegacySecurity, translateLegacySecurity } from './translate.js';
