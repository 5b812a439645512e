import path from 'node:path';
import { formatWorkloadId, trustDomainError, type WorkloadIdentity } from '@seine/ca';
import { later, parseAddress, UsageError } from '@seine/nest';
import { citadelClient } from './citadel-client.js';
import { FileWatcher } from './file-watcher.js';
import { ServiceIdentity } from './service-identity.js';

/** What a service's own identity comes from, as its command line says. */
export interface ServiceArguments {
  /** Who signs its certificate, `host:port`. */
  readonly citadel: string;
  /** PEM: by these citadel and all peers are known, never by trust on first use. */
  readonly rootCertFile: string;
  /** Holds what proves to citadel which service this is: a platform's token or a join token. */
  readonly tokenFile: string;
  readonly trustDomain: string;
  /** Seconds to ask certificates for; 0 = citadel's default. */
  readonly lifetime: number;
}

/** Flags of every service with an identity. */
export const serviceFlags = {
  citadel: { type: 'string' },
  'root-cert': { type: 'string' },
  'token-file': { type: 'string' },
  'trust-domain': { type: 'string', default: 'cluster.local' },
  ttl: { type: 'string', default: '0' },
} as const;

export interface ServiceFlagValues {
  readonly citadel?: string | undefined;
  readonly 'root-cert'?: string | undefined;
  readonly 'token-file'?: string | undefined;
  readonly 'trust-domain': string;
  readonly ttl: string;
}

/** @returns undefined where no citadel is named: then the service has no identity @throws UsageError */
export function readServiceArguments(values: ServiceFlagValues): ServiceArguments | undefined {
  const { citadel, 'root-cert': rootCertFile, 'token-file': tokenFile, 'trust-domain': trustDomain, ttl } = values;
  if (citadel === undefined) return undefined;
  if (rootCertFile === undefined)
    throw new UsageError('--root-cert is required: citadel is known by it, never by trust on first use');
  if (tokenFile === undefined) throw new UsageError('--token-file is required: how does citadel know this service?');
  parseAddress(citadel);
  const domainError = trustDomainError(trustDomain);
  if (domainError !== undefined) throw new UsageError(`--trust-domain '${trustDomain}': ${domainError}`);
  const lifetime = Number(ttl);
  if (!Number.isInteger(lifetime) || lifetime < 0) throw new UsageError(`--ttl takes seconds, not '${ttl}'`);
  return {
    citadel,
    rootCertFile: path.resolve(rootCertFile),
    tokenFile: path.resolve(tokenFile),
    trustDomain,
    lifetime,
  };
}

/** Services of the control plane are workloads of this namespace, with accounts of their own names. */
export const controlPlaneNamespace = 'istio-system';

/** @param service `pilot`, `registry`, … */
export function serviceAccount(service: string, trustDomain: string): WorkloadIdentity {
  return { trustDomain, namespace: controlPlaneNamespace, serviceAccount: service };
}

/** The SPIFFE ID of a service of the control plane. */
export function serviceId(service: string, trustDomain: string): string {
  return formatWorkloadId(serviceAccount(service, trustDomain));
}

/**
 * A service's identity, as its command line says; to be started.
 * @param service its account: `pilot`, `registry`, …
 * @param onWarning is told why there is no certificate
 */
export function serviceIdentity(
  service: string,
  { citadel, rootCertFile, tokenFile, trustDomain, lifetime }: ServiceArguments,
  onWarning: (message: string) => void,
): ServiceIdentity {
  const files = new FileWatcher();
  const now = (): number => Date.now();
  return new ServiceIdentity({
    identity: serviceAccount(service, trustDomain),
    authority: (bundles) => citadelClient({ address: citadel, trustDomain, bundles, lifetime, now }),
    roots: (onText) => files.watch(rootCertFile, onText),
    token: (onText) => files.watch(tokenFile, onText),
    onWarning,
    now,
    random: Math.random,
    later,
  });
}
