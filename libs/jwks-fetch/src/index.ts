/** Fetches the public keys of those who issue tokens, as RequestAuthentications name them. */
export { addressRules, type AddressRulesOptions } from './address-rules.js';
export { FetchFailure } from './fetch-failure.js';
export { type DocumentIo, getDocument } from './get-document.js';
export { defaultRefreshMs, JwksKeys, type JwksKeysOptions, type KeySourceStatus } from './jwks-keys.js';
