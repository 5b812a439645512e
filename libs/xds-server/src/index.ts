/**
 * ADS for Envoy and other xDS clients.
 *
 *   GrpcStream (bytes) ⇄ Connection ⇄ XdsStream (protocol) ⇄ TypeState (one type's subscription)
 *                                        │
 *                               HoldBack (what was refused, what was accepted)
 */
export * from './admission.js';
export * from './hold-back.js';
export * from './name-set.js';
export { MalformedMessage } from './protobuf-scan.js';
export * from './request.js';
export * from './response.js';
export * from './snapshot-source.js';
export * from './status.js';
export * from './type-state.js';
export * from './xds-server.js';
export * from './xds-stream.js';
