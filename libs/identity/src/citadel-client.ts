import { fileURLToPath } from 'node:url';
import { type ChannelCredentials, loadPackageDefinition, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import {
  certificateApiLoaderOptions,
  certificateApiProto,
  type CertificateRequestMessage,
  type CertificateResponseMessage,
} from '@seine/api';
import { type AskAuthority, AuthorityError, type Proof } from '@seine/sds';
import { citadelChannel, type CitadelChannelOptions } from './citadel-channel.js';
import { clockHint } from './clock-hint.js';

type Callback = (error: ServiceError | null, response?: CertificateResponseMessage) => void;
interface Client {
  createCertificate(
    request: CertificateRequestMessage,
    metadata: Metadata,
    options: { readonly deadline: number },
    callback: Callback,
  ): void;
  close(): void;
}
type ClientClass = new (
  address: string,
  channel: ChannelCredentials,
  options: Readonly<Record<string, string>>,
) => Client;

function loadClient(): ClientClass {
  const definition = loadPackageDefinition(loadSync(fileURLToPath(certificateApiProto), certificateApiLoaderOptions));
  return (definition as unknown as { istio: { v1: { auth: { IstioCertificateService: ClientClass } } } }).istio.v1.auth
    .IstioCertificateService;
}

export interface CitadelClientOptions extends CitadelChannelOptions {
  /** Seconds to ask for; 0 = citadel's default. */
  readonly lifetime: number;
}

/** Longer than signing ever takes; a citadel that hangs is one that is away. */
const deadlineMs = 10_000;
/** Answers that another try by the same proof does not change; the caller still tries, later. */
const verdicts: ReadonlySet<status> = new Set([
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
]);

/**
 * Asks citadel by Istio's certificate API. Each call has a connection of its own: they are few, each identity shows its
 * own certificate, and no back-off of an old connection stands in the way when citadel is back.
 */
export function citadelClient({ address, trustDomain, bundles, lifetime, now }: CitadelClientOptions): AskAuthority {
  const clientClass = loadClient();
  const channel = citadelChannel({ address, trustDomain, bundles, now });
  const connect = (proof: Proof): Client => {
    const { credentials, options } = channel(proof.by === 'certificate' ? proof : undefined);
    return new clientClass(address, credentials, options);
  };

  return async (csr, proof) => {
    const metadata = new Metadata();
    if (proof.by === 'token') metadata.set('authorization', `Bearer ${proof.token}`);
    const client = connect(proof);
    try {
      return await new Promise((resolve, reject) => {
        const deadline = now() + deadlineMs;
        client.createCertificate({ csr, validityDuration: lifetime }, metadata, { deadline }, (error, response) => {
          if (response) resolve(response.certChain);
          else reject(explain(address, error));
        });
      });
    } finally {
      client.close();
    }
  };
}

function explain(address: string, error: ServiceError | null): Error {
  if (!error) return new Error(`citadel at ${address} answered nothing`);
  const message = `citadel at ${address}: ${status[error.code]}: ${error.details}${clockHint(error.details)}`;
  return verdicts.has(error.code)
    ? new AuthorityError(message, error.code === status.UNAUTHENTICATED)
    : new Error(message);
}
