/** What tests stand on: builders of model and Envoy objects, hand-written fakes, and an xDS client of our own. */
export * from './fakes/ads-fixture.js';
export * from './fakes/certificates.js';
export * from './fakes/fake-snapshot-source.js';
export * from './fakes/frozen-link.js';
export * from './fakes/random-mesh.js';
export * from './mesh-builders.js';
export * from './poll.js';
export * from './xds-client/ads-client.js';
export * from './xds-client/ads-messages.js';
export * from './xds-client/ads-stream.js';
export * from './xds-client/client-state.js';
export * from './xds-client/envoy-like-client.js';
export * from './xds-client/resource-references.js';
export * from './xds-client/stalling-client.js';
export * from './xds-resources.js';
export * from './listener-summary.js';
