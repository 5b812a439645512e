/**
 * Encoded resources and who shares them. Knows no mesh: names, versions and bytes only.
 *
 *   Resource ── in ──► ResourceSet (a layer) ── in ──► View (one type of one proxy) ── in ──► Snapshot (one proxy)
 */
export * from './resource.js';
export * from './resource-set.js';
export * from './snapshot.js';
