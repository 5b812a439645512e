import { configApiLoaderOptions } from './config.js';

/** SPIFFE's Workload API; where its proto file is, the same from the sources and from the build. */
export const workloadApiProto: URL = new URL('../proto/spiffe/workload.proto', import.meta.url);

/** As the config API is loaded. */
export const workloadApiLoaderOptions = configApiLoaderOptions;

export interface X509SvidMessage {
  readonly spiffeId: string;
  readonly x509Svid: Buffer;
  readonly x509SvidKey: Buffer;
  readonly bundle: Buffer;
}

export interface X509SvidResponse {
  readonly svids: readonly X509SvidMessage[];
  /** By the SPIFFE ID of the trust domain. */
  readonly federatedBundles: Readonly<Record<string, Buffer>>;
}

export interface X509BundlesResponse {
  readonly bundles: Readonly<Record<string, Buffer>>;
}
