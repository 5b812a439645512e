/** The core of a SPIFFE certificate authority: requests in, X.509-SVIDs out. No sockets, no storage, no clock. */
export * from './certificate-request.js';
export * from './certificate-request-maker.js';
export { decodePem, encodePem, splitCertificates } from './pem.js';
export * from './signer.js';
export * from './root-rotation.js';
export * from './spiffe-id.js';
export * from './lifetime.js';
export * from './peer-certificate.js';
export * from './trust-bundle.js';
export * from './authority.js';
export * from './join-tokens.js';
export * from './signers/certificate-signer.js';
export * from './signers/kubernetes-csr.js';
export * from './signers/cert-manager.js';
export type { KubeAnswer, KubeApi } from './signers/kube-api.js';
export type { Patience } from './signers/polling.js';
export type { RateLimit } from './token-bucket.js';
