/** What every Nest program of Seine has: logging, typed settings, metrics, health, flags, and an orderly end. */
export * from './build-info.js';
export * from './command-line.js';
export * from './config.module.js';
export * from './health.module.js';
export * from './later.js';
export * from './logger.js';
export * from './metrics.module.js';
export * from './shutdown.js';
