/** The messages of `istio.v1.auth` as `@grpc/proto-loader` gives them with `certificateApiLoaderOptions`. */

/** The gRPC package of Istio's certificate API. */
export const certificateApiPackage = 'istio.v1.auth';

/** Where its proto file is; the same from the sources and from the build. */
export const certificateApiProto: URL = new URL('../proto/istio/v1/auth/ca.proto', import.meta.url);

/** How both ends load the proto file, so that these types hold: camelCase names, numbers for int64, defaults filled in. */
export const certificateApiLoaderOptions = Object.freeze({
  keepCase: false,
  longs: Number,
  enums: String,
  defaults: true,
  arrays: true,
  oneofs: true,
});

export interface CertificateRequestMessage {
  /** PEM, PKCS #10. */
  readonly csr: string;
  /** Seconds. */
  readonly validityDuration: number;
}

export interface CertificateResponseMessage {
  /** PEM: the certificate first, the root last. */
  readonly certChain: readonly string[];
}
