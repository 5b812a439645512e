import { generateKeyPairSync } from 'node:crypto';
import {
  type AuditRecord,
  type AuthorityOptions,
  CertificateAuthority,
  defaultLimits,
  formatBundle,
  type IssuedCertificate,
  issueCertificate,
  type JoinGrant,
  JoinTokens,
  type LifetimeLimits,
  readSigner,
  type Refusal,
  renewalTime,
  requestForKey,
  type Signer,
  type SigningFiles,
  type SigningRequest,
  type SpiffeBundle,
  splitCertificates,
  type TrustBundles,
  type WorkloadIdentity,
} from '@seine/ca';
import { RotatingServerCredentials, type TlsMaterial } from '@seine/identity';
import {
  authenticate,
  type Authenticator,
  byJoinToken,
  byOwnCertificate,
  type Credentials,
  formatJoinToken,
} from './authenticators.js';

export interface CitadelOptions {
  readonly trustDomain: string;
  readonly files: SigningFiles;
  readonly lifetimes: LifetimeLimits;
  readonly limits?: Pick<AuthorityOptions, 'perIdentity' | 'perAddress'>;
  /** Further ways to prove an identity, beside join tokens and citadel's own certificates. */
  readonly authenticators?: readonly Authenticator[];
  /** Names by which agents reach citadel. */
  readonly dnsNames: readonly string[];
  readonly audit: (record: AuditRecord) => void;
  /** Says why a caller was not believed. */
  readonly onRefused: (address: string, reason: string) => void;
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Runs a function after so many milliseconds; the returned one calls it off. */
  readonly later: (run: () => void, ms: number) => () => void;
}

/** Citadel's own account: what its server's certificate names. */
const ownAccount = { namespace: 'istio-system', serviceAccount: 'citadel' };
const refreshHintSeconds = 300;

export type SigningOutcome = IssuedCertificate | { readonly refusal: Refusal } | { readonly unauthenticated: true };

/** The certificate authority as a service: who asks is authenticated, decided on, signed for, and written down. */
export class CitadelService {
  readonly tokens: JoinTokens;
  readonly credentials: RotatingServerCredentials;
  readonly #authority: CertificateAuthority;
  readonly #ways: readonly Authenticator[];
  readonly #signer: Signer;
  readonly #roots: readonly string[];
  readonly #denied = new Set<string>();
  #callOff: (() => void) | undefined;

  /** @throws SigningFilesError when there is nothing to sign with */
  constructor(private readonly options: CitadelOptions) {
    const { files, now, lifetimes, limits = defaultLimits, audit } = options;
    this.#signer = readSigner(files, now());
    this.#roots = splitCertificates(files.roots);
    const grants = new Map<string, JoinGrant>();
    this.tokens = new JoinTokens({
      get: (hash) => grants.get(hash),
      put: (hash, grant) => void grants.set(hash, grant),
      delete: (hash) => void grants.delete(hash),
    });
    this.#ways = [
      byJoinToken(this.tokens, now),
      byOwnCertificate(
        () => this.bundles(),
        () => this.#signer.path,
        now,
      ),
      ...(options.authenticators ?? []),
    ];
    this.#authority = new CertificateAuthority({
      ...limits,
      lifetimes,
      signer: () => this.#signer,
      isDenied: (spiffeId) => this.#denied.has(spiffeId),
      audit,
      now,
    });
    this.credentials = new RotatingServerCredentials(this.#serve());
  }

  /** The roots by which certificates of the mesh are judged. */
  bundles(): TrustBundles {
    return new Map([[this.options.trustDomain, this.#roots]]);
  }

  bundle(): SpiffeBundle {
    return formatBundle(this.#roots, 1, refreshHintSeconds);
  }

  /** All roots in PEM, as agents keep them. */
  roots(): string {
    return this.#roots.join('');
  }

  /** @returns a token that proves the identity once */
  createJoinToken(identity: Omit<WorkloadIdentity, 'trustDomain'>, lifetimeMs: number): string {
    const { trustDomain, now } = this.options;
    return formatJoinToken(this.tokens.create({ trustDomain, ...identity }, now() + lifetimeMs));
  }

  /** From now on the identity gets no certificates. */
  deny(spiffeId: string): void {
    this.#denied.add(spiffeId);
  }

  async sign(credentials: Credentials, address: string, request: SigningRequest): Promise<SigningOutcome> {
    const proof = await authenticate(this.#ways, credentials);
    if ('error' in proof) {
      this.options.onRefused(address, proof.error);
      return { unauthenticated: true };
    }
    return this.#authority.sign({ ...proof, address }, request);
  }

  /** A certificate for citadel's own server; the next one is due at half of its life. */
  #serve(): TlsMaterial {
    const { trustDomain, lifetimes, dnsNames, now, random, later } = this.options;
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const issued = issueCertificate(this.#signer, {
      identity: { trustDomain, ...ownAccount },
      request: requestForKey(publicKey),
      lifetimeMs: lifetimes.fallback * 1000,
      now: now(),
      dnsNames,
    });
    const due = renewalTime(now(), issued.notAfter, random());
    this.#callOff = later(() => this.credentials.replace(this.#serve()), due - now());
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    return { chain: issued.chain.join(''), key, roots: this.roots() };
  }

  stop(): void {
    this.#callOff?.();
  }
}
