/** What meshes report of themselves: metrics as Prometheus reads them, under Istio's names. No sockets, no clock. */
export * from './exposition/families.js';
export * from './exposition/merge-families.js';
export * from './exposition/read-exposition.js';
export * from './exposition/write-exposition.js';
export * from './istio-metrics/istio-names.js';
export * from './istio-metrics/message-counts.js';
export { type MeshCounters, MeshMetrics, type MeshMetricsOptions } from './mesh-metrics/mesh-metrics.js';
export { cutLabel, isLabelName, maxLabelLength } from './series/label-text.js';
export type { Series } from './series/series.js';
export { type FamilyOptions, type LabelCut, LabelledSeries, otherValue, SeriesFamily } from './series/series-family.js';
export { SeriesStore, type SeriesStoreOptions } from './series/series-store.js';
