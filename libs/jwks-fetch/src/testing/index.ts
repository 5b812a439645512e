/** An issuer of tokens, for tests. */
export * from './token-issuer.js';
