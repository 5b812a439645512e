/** Mixer as a Nest module. */
export { MixerModule, type MixerModuleOptions } from './mixer.module.js';
export { MixerService, type SecureMixer } from './mixer.service.js';
