import fs from 'node:fs/promises';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

/** The provider's keys cannot be had, and none are known from before. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError';
}

export interface ProviderKeysOptions {
  readonly issuer: string;
  /** Where the keys are: http(s) or a file; undefined = the provider's discovery document says it. */
  readonly jwks: URL | undefined;
  /** Reads a document. @throws Error when it cannot be had */
  readonly read: (url: URL) => Promise<string>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onProblem: (message: string) => void;
}

/** As old keys may get before they are fetched anew. */
const freshMs = 10 * 60_000;
/** A key that is not known is looked for no more often than this. */
const cooldownMs = 10_000;
const timeoutMs = 5000;
const mostBytes = 1024 * 1024;

type Lookup = ReturnType<typeof createLocalJWKSet>;

/**
 * The keys of an OpenID provider: fetched when they are first needed, again when they are old, and at once when a token
 * names a key that is not known, as a provider that changes its keys does. While it is away those of before count.
 */
export class ProviderKeys {
  #known: Lookup | undefined;
  #fetchedAt = -Infinity;
  #triedAt = -Infinity;
  #fetching: Promise<void> | undefined;

  constructor(private readonly options: ProviderKeysOptions) {}

  /** For `jwtVerify`. */
  readonly lookup: JWTVerifyGetKey = async (header, token) => {
    const { now, issuer } = this.options;
    if (!this.#known) await this.#fetch();
    else if (now() - this.#fetchedAt > freshMs) void this.#fetch();
    if (!this.#known) throw new KeysUnavailableError(`the keys of ${issuer} cannot be had`);
    try {
      return await this.#known(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.#fetch();
      return await this.#known(header, token);
    }
  };

  /** Never throws; tries at most once in a while, and once for all who wait. */
  #fetch(): Promise<void> {
    const { now, onProblem, issuer } = this.options;
    if (this.#fetching) return this.#fetching;
    if (now() - this.#triedAt < cooldownMs) return Promise.resolve();
    this.#triedAt = now();
    this.#fetching = this.#read()
      .then((keys) => {
        this.#known = createLocalJWKSet(keys);
        this.#fetchedAt = now();
      })
      .catch((error: unknown) => {
        onProblem(`the keys of ${issuer}: ${error instanceof Error ? error.message : String(error)}`);
      })
      .finally(() => {
        this.#fetching = undefined;
      });
    return this.#fetching;
  }

  async #read(): Promise<JSONWebKeySet> {
    const { read, issuer, jwks } = this.options;
    return JSON.parse(await read(jwks ?? (await this.#discover(issuer)))) as JSONWebKeySet;
  }

  /** OpenID Connect Discovery 1.0, 4. */
  async #discover(issuer: string): Promise<URL> {
    const document = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
    const found = JSON.parse(await this.options.read(document)) as {
      readonly issuer?: unknown;
      readonly jwks_uri?: unknown;
    };
    if (found.issuer !== issuer) throw new Error(`${document.href} is of the issuer ${String(found.issuer)}`);
    if (typeof found.jwks_uri !== 'string') throw new Error(`${document.href} has no jwks_uri`);
    return new URL(found.jwks_uri);
  }
}

/** Reads what http(s) and file URLs name. */
export async function readDocument(url: URL): Promise<string> {
  if (url.protocol === 'file:') return await fs.readFile(url, 'utf8');
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'error' });
  if (!response.ok) throw new Error(`${url.href} answered ${response.status}`);
  const text = await response.text();
  if (text.length > mostBytes) throw new Error(`${url.href} is longer than ${mostBytes} bytes`);
  return text;
}
