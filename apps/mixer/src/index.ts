/** Mixer as a Nest module. */
export { MeshTelemetry } from './access-log/mesh-telemetry.js';
export { MixerModule, type MixerModuleOptions } from './mixer.module.js';
export { MixerService, type SecureMixer } from './mixer.service.js';
