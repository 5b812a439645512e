/** What meshes report of themselves: metrics as Prometheus reads them, under Istio's names. No sockets, no clock. */
export * from './exposition/families.js';
export * from './exposition/merge-families.js';
export * from './exposition/read-exposition.js';
export * from './exposition/write-exposition.js';
export * from './istio-metrics/istio-names.js';
export * from './istio-metrics/message-counts.js';
