import net from 'node:net';
import tls, { type PeerCertificate } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import {
  certificateApiLoaderOptions,
  certificateApiProto,
  type CertificateRequestMessage,
  type CertificateResponseMessage,
} from '@seine/api';
import { formatWorkloadId, type TrustBundles, verifyPeer } from '@seine/ca';
import { type AskAuthority, AuthorityError, type Proof } from '@seine/sds';
import { clockHint } from './clock-hint.js';
import { shownChain } from './peer.js';

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
  channel: ReturnType<typeof credentials.createSsl>,
  options: Readonly<Record<string, string>>,
) => Client;

function loadClient(): ClientClass {
  const definition = loadPackageDefinition(loadSync(fileURLToPath(certificateApiProto), certificateApiLoaderOptions));
  return (definition as unknown as { istio: { v1: { auth: { IstioCertificateService: ClientClass } } } }).istio.v1.auth
    .IstioCertificateService;
}

export interface CitadelClientOptions {
  /** `host:port` */
  readonly address: string;
  readonly trustDomain: string;
  /** The roots that are trusted now. */
  readonly bundles: () => TrustBundles;
  /** Seconds to ask for; 0 = citadel's default. */
  readonly lifetime: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Longer than signing ever takes; a citadel that hangs is one that is away. */
const deadlineMs = 10_000;
/** The name that every citadel, and istiod, has in its certificate; for where it is known by an address only. */
const serverName = 'istiod.istio-system.svc';
const citadelAccount = { namespace: 'istio-system', serviceAccount: 'citadel' };

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
  const citadelId = formatWorkloadId({ trustDomain, ...citadelAccount });
  const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  // By its identity, or by its name, as istiod has no identity in its certificate. TLS has verified the chain before.
  const checkServerIdentity = (name: string, certificate: PeerCertificate): Error | undefined => {
    const verdict = verifyPeer(shownChain(certificate), bundles(), now());
    if (!('error' in verdict) && verdict.spiffeId === citadelId) return undefined;
    return tls.checkServerIdentity(name, certificate);
  };

  const connect = (proof: Proof): Client => {
    const roots = [...bundles().values()].flat().join('');
    // With no roots of ours, TLS would fall back to the system's.
    if (roots === '') throw new Error('there are no roots to know citadel by');
    const [key, chain] = proof.by === 'certificate' ? [Buffer.from(proof.key), Buffer.from(proof.chain)] : [null, null];
    const channel = credentials.createSsl(Buffer.from(roots), key, chain, { checkServerIdentity });
    // A server name may not be an address (RFC 6066, 3).
    return new clientClass(address, channel, net.isIP(host) ? { 'grpc.ssl_target_name_override': serverName } : {});
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
