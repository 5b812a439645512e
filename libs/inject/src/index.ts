/** What a pod becomes when it joins the mesh. Pure: the webhook and the command line give the same answer. */
export * from './capture-rules.js';
export * from './decide-injection.js';
export * from './inject-object.js';
export * from './inject-pod.js';
export * from './injection-settings.js';
export type { Container, Pod } from './pod.js';
export * from './traffic-capture.js';
