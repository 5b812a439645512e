import fs from 'node:fs';
import path from 'node:path';
import { parseBundle, type TrustBundles } from '@seine/ca';
import { Listeners } from '../state/authority-keeper.js';
import { replaceFile } from '../state/versioned-file.js';

/** Another mesh whose workloads are believed, and where its bundle is (SPIFFE Federation, 5). */
export interface FederatedDomain {
  readonly trustDomain: string;
  /** https. */
  readonly url: URL;
  /** Who serves it: a web server, or a workload of that trust domain, by its SPIFFE ID. */
  readonly profile: { readonly kind: 'https_web' } | { readonly kind: 'https_spiffe'; readonly spiffeId: string };
}

export interface FederationOptions {
  readonly domains: readonly FederatedDomain[];
  readonly stateDir: string;
  /**
   * Reads a bundle endpoint.
   * @param roots what is known of the trust domain: what the profile https_spiffe begins with
   * @throws Error when it cannot be had, or is not who it should be
   */
  readonly read: (domain: FederatedDomain, roots: readonly string[]) => Promise<string>;
  readonly onProblem: (message: string) => void;
  readonly onChange: (message: string) => void;
  /** Runs a function after so many milliseconds; the returned one calls it off. */
  readonly later: (run: () => void, ms: number) => () => void;
}

interface Known {
  readonly text: string;
  readonly roots: readonly string[];
  readonly sequence: number;
}

const shortestPauseMs = 1000;
const longestPauseMs = 3600_000;
const retryMs = 10_000;
/** Where the bundle says nothing (SPIFFE Trust Domain and Bundle, 4.1.2). */
const defaultHintSeconds = 300;

/** Keeps the bundles of other meshes: fetched again as often as they ask, and kept, also over a restart, while they are away. */
export class Federation {
  readonly #known = new Map<string, Known>();
  readonly #listeners = new Listeners();
  readonly #callOff = new Map<string, () => void>();
  #isStopped = false;

  constructor(private readonly options: FederationOptions) {
    for (const { trustDomain } of options.domains) this.#load(trustDomain);
  }

  start(): void {
    for (const domain of this.options.domains) void this.#follow(domain);
  }

  stop(): void {
    this.#isStopped = true;
    for (const callOff of this.#callOff.values()) callOff();
  }

  /** Those that are known. */
  bundles(): TrustBundles {
    return new Map([...this.#known].map(([domain, { roots }]) => [domain, roots]));
  }

  watch(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  async #follow(domain: FederatedDomain): Promise<void> {
    const wait = await this.#fetch(domain);
    if (!this.#isStopped)
      this.#callOff.set(
        domain.trustDomain,
        this.options.later(() => void this.#follow(domain), wait),
      );
  }

  /** @returns milliseconds until the next look */
  async #fetch(domain: FederatedDomain): Promise<number> {
    const { trustDomain } = domain;
    try {
      const text = await this.options.read(domain, this.#known.get(trustDomain)?.roots ?? []);
      return this.#take(trustDomain, text);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.options.onProblem(`the bundle of ${trustDomain} at ${domain.url.href}: ${message}`);
      return retryMs;
    }
  }

  #take(trustDomain: string, text: string): number {
    const bundle = parseBundle(text);
    if ('error' in bundle) throw new Error(bundle.error);
    if (bundle.roots.length === 0) throw new Error('has no X.509 roots');
    const known = this.#known.get(trustDomain);
    // An older one than is known comes of a cache or of an attacker.
    if (known && bundle.sequence < known.sequence)
      throw new Error(`goes back from ${known.sequence} to ${bundle.sequence}`);
    if (known?.text !== text) {
      this.#known.set(trustDomain, { text, roots: bundle.roots, sequence: bundle.sequence });
      this.#save(trustDomain, text);
      this.options.onChange(`the bundle of ${trustDomain} has ${bundle.roots.length} roots now`);
      this.#listeners.tell();
    }
    const hint = (bundle.refreshHint || defaultHintSeconds) * 1000;
    return Math.min(longestPauseMs, Math.max(shortestPauseMs, hint));
  }

  #load(trustDomain: string): void {
    const file = this.#file(trustDomain);
    if (!fs.existsSync(file)) return;
    const text = fs.readFileSync(file, 'utf8');
    const bundle = parseBundle(text);
    if ('error' in bundle) this.options.onProblem(`${file}: ${bundle.error}`);
    else this.#known.set(trustDomain, { text, roots: bundle.roots, sequence: bundle.sequence });
  }

  #save(trustDomain: string, text: string): void {
    try {
      fs.mkdirSync(path.dirname(this.#file(trustDomain)), { recursive: true, mode: 0o700 });
      replaceFile(this.#file(trustDomain), text, 0o600);
    } catch (error) {
      this.options.onProblem(error instanceof Error ? error.message : String(error));
    }
  }

  /** Begin it with the bundle of the other mesh, where its endpoint is known by that alone. */
  #file(trustDomain: string): string {
    return path.join(this.options.stateDir, 'federation', `${trustDomain}.json`);
  }
}
