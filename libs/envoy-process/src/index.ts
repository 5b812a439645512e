/** Finds an Envoy on this machine, and runs Envoys and the programs beside them as children that never outlive us. */
export { type Attempt, EnvoyNotFoundError } from './envoy-advice.js';
export { testedVersion } from './envoy-version.js';
export { findEnvoy, type FindEnvoyOptions, type FoundEnvoy } from './find-envoy.js';
export { envoyProcess, type EnvoyProcessOptions } from './envoy-process.js';
export { type Endpoint, envoyState, untilEnvoyLive, untilListening } from './readiness.js';
export { RotatingLog, type RotatingLogOptions } from './rotating-log.js';
export { type ProcessSpec, StartError, SupervisedProcess, type Supervision } from './supervised-process.js';
export { Watchdog } from './watchdog.js';
