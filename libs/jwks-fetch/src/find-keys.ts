import { readKeySet } from '@seine/istio';
import { FetchFailure } from './fetch-failure.js';

/** Fetches a text. @throws FetchFailure */
export type GetDocument = (url: string) => Promise<string>;

/** Keys as an issuer publishes them. */
export interface FoundKeys {
  /** Where they were. */
  readonly jwksUri: string;
  /** A JSON Web Key Set of public keys; the same text whenever the keys are the same. */
  readonly jwks: string;
  readonly count: number;
  /** Why keys that stand there are left out, one sentence each. */
  readonly leftOut: readonly string[];
}

/** A place where keys are. */
export interface KeyPlace {
  /** Absent: the issuer's discovery document names it. */
  readonly jwksUri: string | undefined;
  readonly issuer: string;
}

/**
 * The URL of an issuer's keys (OpenID Connect Discovery 1.0, section 4).
 * @throws FetchFailure
 */
export async function discover(get: GetDocument, issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  let document: unknown;
  try {
    document = JSON.parse(await get(url));
  } catch (error) {
    if (error instanceof FetchFailure) throw error;
    throw new FetchFailure(`${url} is not JSON`);
  }
  const uri =
    typeof document === 'object' && document !== null && 'jwks_uri' in document ? document.jwks_uri : undefined;
  if (typeof uri !== 'string') throw new FetchFailure(`${url} has no "jwks_uri"`);
  return uri;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Reads a fetched key set. One without a usable key is what the issuer says, too: no token is valid then.
 * @throws FetchFailure where it is none
 */
export function publicKeysOf(text: string, jwksUri: string): FoundKeys {
  const { keys, problems } = readKeySet(text);
  const whole = problems.find(({ index }) => index === undefined);
  if (whole) throw new FetchFailure(`${jwksUri} ${whole.message}`);
  return {
    jwksUri,
    // In one order, so that an issuer who shuffles them changes nothing.
    jwks: `{"keys":[${keys
      .map((key) => JSON.stringify(key))
      .sort(compare)
      .join(',')}]}`,
    count: keys.length,
    leftOut: problems.map(({ index = 0, message }) => `keys[${index}] ${message}`),
  };
}
