import { configApiLoaderOptions } from './config.js';

/** The messages of `istio.v1.auth` as `@grpc/proto-loader` gives them with `certificateApiLoaderOptions`. */

/** The gRPC package of Istio's certificate API. */
export const certificateApiPackage = 'istio.v1.auth';

/** Where its proto file is; the same from the sources and from the build. */
export const certificateApiProto: URL = new URL('../proto/istio/v1/auth/ca.proto', import.meta.url);

/** As the config API is loaded. */
export const certificateApiLoaderOptions = configApiLoaderOptions;

export interface CertificateRequestMessage {
  /** PEM, PKCS #10. */
  readonly csr: string;
  /** Seconds. */
  readonly validityDuration: number;
  /** A `google.protobuf.Struct`. */
  readonly metadata?: {
    readonly fields?: Readonly<Record<string, { readonly stringValue?: string } | undefined>>;
  } | null;
}

export interface CertificateResponseMessage {
  /** PEM: the certificate first, the root last. */
  readonly certChain: readonly string[];
}
