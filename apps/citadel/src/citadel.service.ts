import { X509Certificate } from 'node:crypto';
import {
  type AdminAction,
  advanceRotation,
  type AuditRecord,
  type AuthorityOptions,
  type AuthorityState,
  CertificateAuthority,
  type CertificateSigner,
  defaultLimits,
  formatWorkloadId,
  type IssuedCertificate,
  type JoinGrants,
  JoinTokens,
  type LifetimeLimits,
  localSigner,
  makeCertificateRequest,
  makeWorkloadKey,
  parseWorkloadId,
  readActiveSigner,
  readCertificateRequest,
  type Refusal,
  renewalTime,
  type Signer,
  type SigningRequest,
  type SpiffeBundle,
  type Spread,
  type TrustBundles,
  type WorkloadIdentity,
} from '@seine/ca';
import {
  authenticate,
  type Authenticator,
  type Credentials,
  type Proof,
  RotatingServerCredentials,
  type TlsMaterial,
} from '@seine/identity';
import { type AdminDetails, adminRecord } from './admin/admin-record.js';
import { type ImpersonationOptions, impersonate } from './authenticators/impersonation.js';
import { byJoinToken, formatJoinToken } from './authenticators/join-token.js';
import { byOwnCertificate } from './authenticators/own-certificate.js';
import type { CitadelMetrics } from './citadel.metrics.js';
import type { Federation } from './federation/federation.js';
import type { Followers } from './followers.js';
import type { AuthorityKeeper } from './state/authority-keeper.js';
import type { DenialFile } from './state/deny-list.js';
import { Trust } from './trust.js';

export interface CitadelOptions {
  /** Where the admin token is. */
  readonly stateDir: string;
  readonly trustDomain: string;
  readonly aliases?: readonly string[];
  readonly keeper: AuthorityKeeper;
  readonly denials: DenialFile;
  readonly joinGrants: JoinGrants;
  readonly followers: Followers;
  readonly federation?: Federation;
  /** Signs in place of the keeper's key. */
  readonly external?: CertificateSigner;
  readonly lifetimes: LifetimeLimits;
  readonly limits?: Pick<AuthorityOptions, 'perIdentity' | 'perAddress'>;
  /** Further ways to prove an identity, beside join tokens and citadel's own certificates. */
  readonly authenticators?: readonly Authenticator[];
  readonly impersonation?: ImpersonationOptions;
  /** Names by which agents reach citadel. */
  readonly dnsNames: readonly string[];
  /** Milliseconds that whoever polls the bundle needs to have a new one: what a rotation waits for at least. */
  readonly spreadMs: number;
  readonly audit: (record: AuditRecord) => void;
  /** All that was written down; undefined where nothing can be read back. */
  readonly records?: () => AsyncIterable<AuditRecord>;
  /** Says why a caller was not believed. */
  readonly onRefused: (address: string, reason: string) => void;
  /** An operator should look at this. */
  readonly onProblem: (message: string) => void;
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Runs a function after so many milliseconds; the returned one calls it off. */
  readonly later: (run: () => void, ms: number) => () => void;
}

/** Citadel's own account: what its server's certificate names. */
const ownAccount = { namespace: 'istio-system', serviceAccount: 'citadel' };
/** How often citadel looks at what it shares with others. */
const refreshMs = 1000;
const retryServingMs = 5000;
/** Chains of signers of before: their certificates renew, too. */
const mostBetween = 64;

export type SigningOutcome = IssuedCertificate | { readonly refusal: Refusal } | { readonly unauthenticated: true };

/** What a request says beside its credentials. */
export interface CitadelRequest extends SigningRequest {
  /** SPIFFE ID of somebody else whose certificate the caller wants. */
  readonly impersonated?: string;
}

/** The certificate authority as a service: who asks is authenticated, decided on, signed for, and written down. */
export class CitadelService {
  readonly tokens: JoinTokens;
  readonly trust: Trust;
  readonly #authority: CertificateAuthority;
  readonly #ways: readonly Authenticator[];
  readonly #signing: CertificateSigner;
  readonly #between = new Map<string, X509Certificate>();
  readonly #ends: (() => void)[] = [];
  readonly #servingListeners = new Set<(serving: TlsMaterial) => void>();
  #metrics: CitadelMetrics | undefined;
  #signer: Signer | undefined;
  #active: AuthorityState['active'] | undefined;
  #credentials: RotatingServerCredentials | undefined;
  #serving: TlsMaterial | undefined;
  #callOffServing: (() => void) | undefined;
  #callOffRefresh: (() => void) | undefined;

  private constructor(private readonly options: CitadelOptions) {
    const { now, lifetimes, limits = defaultLimits, audit, joinGrants, denials, trustDomain, aliases = [] } = options;
    this.trust = new Trust({ trustDomain, aliases, federated: () => options.federation?.bundles() ?? new Map() });
    this.tokens = new JoinTokens(joinGrants);
    this.#ways = [
      byJoinToken(this.tokens, now),
      byOwnCertificate(
        () => this.trust.own,
        () => this.between(),
        now,
      ),
      ...(options.authenticators ?? []),
    ];
    this.#signing = options.external ?? localSigner(() => this.#signer);
    this.#authority = new CertificateAuthority({
      ...limits,
      lifetimes,
      signer: this.#signing,
      isDenied: (spiffeId) => denials.isDenied(spiffeId),
      audit,
      onUnavailable: (reason) => options.onProblem(reason),
      now,
    });
  }

  /** @throws SigningFilesError when there is nothing to sign with, SignerUnavailableError when nobody signs */
  static async start(options: CitadelOptions): Promise<CitadelService> {
    const citadel = new CitadelService(options);
    const { keeper, federation, later } = options;
    // Files that do not go together end the start; later on they change nothing.
    if (!options.external) readActiveSigner(keeper.state(), options.now());
    citadel.#stateChanged();
    citadel.#serving = await citadel.#makeServing();
    citadel.#credentials = new RotatingServerCredentials(citadel.#serving);
    citadel.#ends.push(keeper.watch(() => citadel.#stateChanged()));
    const onFederation = (): void => citadel.trust.federationChanged();
    if (federation) citadel.#ends.push(federation.watch(onFederation));
    const refresh = (): void => {
      citadel.refresh();
      citadel.#callOffRefresh = later(refresh, refreshMs);
    };
    citadel.#callOffRefresh = later(refresh, refreshMs);
    return citadel;
  }

  get credentials(): RotatingServerCredentials {
    if (!this.#credentials) throw new Error('citadel has not started');
    return this.#credentials;
  }

  /** Citadel's own certificate, for its other servers. */
  get serving(): TlsMaterial {
    if (!this.#serving) throw new Error('citadel has not started');
    return this.#serving;
  }

  /** Is told of each certificate that follows. */
  onServing(listener: (serving: TlsMaterial) => void): void {
    this.#servingListeners.add(listener);
  }

  /** Counts from now on. */
  measure(metrics: CitadelMetrics): void {
    this.#metrics = metrics;
    this.#showExpiry();
  }

  get keeper(): AuthorityKeeper {
    return this.options.keeper;
  }

  get denials(): DenialFile {
    return this.options.denials;
  }

  get followers(): Followers {
    return this.options.followers;
  }

  /** The roots by which certificates of the mesh are judged. */
  bundles(): TrustBundles {
    return this.trust.all;
  }

  bundle(): SpiffeBundle {
    return this.trust.bundle();
  }

  /** All roots in PEM, as agents keep them. */
  roots(): string {
    return this.trust.roots.join('');
  }

  /** Who has the bundle of now, as far as citadel can know. */
  spread(): Spread {
    return { waitMs: this.options.spreadMs, behind: this.options.followers.behindAnywhere(this.trust.version) };
  }

  get longestLeafMs(): number {
    return this.options.lifetimes.maximum * 1000;
  }

  now(): number {
    return this.options.now();
  }

  get stateDir(): string {
    return this.options.stateDir;
  }

  get trustDomain(): string {
    return this.options.trustDomain;
  }

  records(): AsyncIterable<AuditRecord> | undefined {
    return this.options.records?.();
  }

  /** @returns a token that proves the identity once */
  createJoinToken(identity: Omit<WorkloadIdentity, 'trustDomain'>, lifetimeMs: number): string {
    const whole = { trustDomain: this.options.trustDomain, ...identity };
    formatWorkloadId(whole);
    return formatJoinToken(this.tokens.create(whole, this.options.now() + lifetimeMs));
  }

  /** From now on the identity gets no certificates. */
  deny(spiffeId: string, reason = ''): void {
    this.options.denials.add({ spiffeId, reason, since: new Date(this.options.now()).toISOString() });
  }

  async sign(credentials: Credentials, address: string, request: CitadelRequest): Promise<SigningOutcome> {
    this.#metrics?.asked();
    const tooMany = this.#authority.admit(address);
    if (tooMany) return this.#count({ refusal: tooMany });
    const proof = await authenticate(this.#ways, credentials);
    const settled = await this.#impersonated(proof, request.impersonated);
    if ('error' in settled && settled.unavailable) {
      this.options.onProblem(settled.error);
      const message = 'who could tell the caller’s identity cannot be asked at present; try again';
      return this.#count({ refusal: { code: 'UNAVAILABLE', message, retryAfter: 1000 } });
    }
    if ('error' in settled) {
      this.#metrics?.notBelieved();
      this.options.onRefused(address, settled.error);
      this.#authority.writeUnproved(address, settled.error);
      return { unauthenticated: true };
    }
    const onBehalfBy = 'identity' in proof && settled !== proof ? formatWorkloadId(proof.identity) : undefined;
    const caller = { ...settled, address, ...(onBehalfBy !== undefined && { onBehalfBy }) };
    return this.#count(await this.#authority.sign(caller, request));
  }

  /** Certificates between leaves and roots. */
  between(): readonly X509Certificate[] {
    return [...this.#between.values()];
  }

  /** Looks at what is shared with others, and does what is due. */
  refresh(): void {
    const { keeper, denials, followers, onProblem } = this.options;
    keeper.refresh();
    denials.refresh();
    try {
      if (keeper.state().prepared) followers.report(this.trust.version);
      const due = this.#due(keeper.state());
      if (due !== keeper.state()) keeper.step((state) => ({ state: this.#due(state) }));
    } catch (error) {
      onProblem(error instanceof Error ? error.message : String(error));
    }
  }

  stop(): void {
    this.#callOffServing?.();
    this.#callOffRefresh?.();
    for (const end of this.#ends.splice(0)) end();
    this.options.federation?.stop();
    try {
      this.options.followers.withdraw();
    } catch {
      // The directory is away: what was said there ends by itself.
    }
  }

  /** Whether the certificates that this proof got are of somebody else. */
  async #impersonated(proof: Proof, wanted: string | undefined): Promise<Proof> {
    if (wanted === undefined || wanted === '' || !('identity' in proof)) return proof;
    if (formatWorkloadId(proof.identity) === wanted) return proof;
    if (this.options.denials.isDenied(formatWorkloadId(proof.identity)))
      return { error: 'who asks for another is revoked' };
    return await impersonate(proof, wanted, this.options.impersonation);
  }

  #due(state: AuthorityState): AuthorityState {
    if (!state.prepared?.auto && state.retiring.length === 0) return state;
    return advanceRotation(state, { now: this.now(), spread: this.spread(), longestLeafMs: this.longestLeafMs });
  }

  #count<T extends IssuedCertificate | { readonly refusal: Refusal }>(outcome: T): T {
    if ('refusal' in outcome) this.#metrics?.refused(outcome.refusal.code);
    else {
      this.#metrics?.issued();
      this.#remember(outcome.chain.slice(1, -1));
    }
    return outcome;
  }

  /** What is between leaves and roots: who renews may show the leaf alone. */
  #remember(chain: readonly string[]): void {
    for (const pem of chain)
      if (!this.#between.has(pem) && this.#between.size < mostBetween) this.#between.set(pem, new X509Certificate(pem));
  }

  #stateChanged(): void {
    const { keeper, external, now, onProblem } = this.options;
    const state = keeper.state();
    this.trust.update(state);
    this.#showExpiry();
    const isNew = state.active !== this.#active && JSON.stringify(state.active) !== JSON.stringify(this.#active);
    this.#active = state.active;
    if (!external && isNew) {
      try {
        this.#signer = readActiveSigner(state, now());
        this.#remember(this.#signer.path.slice(0, -1));
      } catch (error) {
        onProblem(`what is to sign cannot be used: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    if (!this.#credentials || !this.#serving) return;
    // Clients are judged by the roots of now; the server's own certificate follows who signs.
    this.#replaceServing({ ...this.#serving, roots: this.roots() });
    if (isNew) this.#renewServing();
  }

  #showExpiry(): void {
    this.#metrics?.roots(this.trust.roots);
    if (this.#signer) this.#metrics?.signer(Date.parse(this.#signer.certificate.validTo));
  }

  #replaceServing(serving: TlsMaterial): void {
    this.#serving = serving;
    this.#credentials?.replace(serving);
    for (const listener of this.#servingListeners) listener(serving);
  }

  #renewServing(): void {
    const { onProblem, later } = this.options;
    this.#makeServing().then(
      (serving) => this.#replaceServing(serving),
      (error: unknown) => {
        onProblem(`citadel’s own certificate: ${error instanceof Error ? error.message : String(error)}`);
        this.#callOffServing?.();
        this.#callOffServing = later(() => this.#renewServing(), retryServingMs);
      },
    );
  }

  /** Writes down what an operator has done. */
  administered(action: AdminAction, about?: AdminDetails): void {
    this.options.audit(adminRecord(this.options.now(), action, about));
  }

  /** A certificate for citadel's own server; the next one is due at half of its life. */
  async #makeServing(): Promise<TlsMaterial> {
    const { trustDomain, lifetimes, dnsNames, now, random, later } = this.options;
    const identity = { trustDomain, ...ownAccount };
    const key = await makeWorkloadKey('ecdsa-p256');
    const csr = makeCertificateRequest(key, { uris: [formatWorkloadId(identity)], dnsNames });
    const request = readCertificateRequest(csr);
    const lifetimeMs = lifetimes.fallback * 1000;
    const issued = await this.#signing.sign({ identity, csr, request, lifetimeMs, now: now(), dnsNames });
    this.options.audit({
      time: new Date(now()).toISOString(),
      event: 'issued',
      spiffeId: issued.spiffeId,
      by: 'citadel itself',
      address: '',
      serial: issued.serial,
      notAfter: new Date(issued.notAfter).toISOString(),
      ttl: Math.round((issued.notAfter - now()) / 1000),
    });
    this.#callOffServing?.();
    const due = renewalTime(now(), issued.notAfter, random());
    this.#callOffServing = later(() => this.#renewServing(), due - now());
    const pem = key.export({ format: 'pem', type: 'pkcs8' }).toString();
    return { chain: issued.chain.join(''), key: pem, roots: this.roots() };
  }
}

/** Whether a text is the SPIFFE ID of an account. */
export function isWorkloadId(text: string): boolean {
  return parseWorkloadId(text) !== undefined;
}
