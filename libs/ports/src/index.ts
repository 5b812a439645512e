/** The interfaces at the rim: what adapters implement and pure code is given. */
export * from './source.js';
export * from './store.js';
