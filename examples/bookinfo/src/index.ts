/** The sample application: Bookinfo's services and a pair that only echoes, as one program with a role. */
export { createApp } from './app.js';
export { type AppOptions, OptionsError, parseOptions, type Role, roles } from './options.js';
export type { Answer, Call, CallService } from './web/call.js';
