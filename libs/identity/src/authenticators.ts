import { createRemoteJWKSet, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { WorkloadIdentity } from '@seine/ca';
import { KeysUnavailableError } from './provider-keys.js';

/** What a caller has shown. */
export interface Credentials {
  /** Of the header `authorization`. */
  readonly bearer: string | undefined;
  /** DER of the client certificate. */
  readonly certificate: Buffer | undefined;
}

/** The pod that a platform's token is bound to. */
export interface BoundPod {
  readonly name: string;
  readonly uid: string;
  /** Where the platform says it. */
  readonly node: string | undefined;
}

export type Proof =
  | { readonly identity: WorkloadIdentity; readonly by: string; readonly pod?: BoundPod }
  /**
   * For the log: the caller hears nothing of it (C-9). Where who could tell cannot be asked at present, it is no
   * verdict: another try may succeed.
   */
  | { readonly error: string; readonly unavailable?: true };

/** One way to prove an identity. @returns undefined when it does not know this kind of credentials */
export type Authenticator = (credentials: Credentials) => Promise<Proof | undefined>;

/** Join tokens are told from a platform's tokens by it. */
export const joinTokenPrefix = 'seine-join.';

export interface OidcOptions {
  readonly issuer: string;
  readonly audience: string;
  /** Where the issuer's keys are; a test may hand over the keys themselves. */
  readonly keys: URL | JWTVerifyGetKey;
  readonly trustDomain: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A token of a platform, as neither own certificates nor join tokens are. */
export function platformToken({ bearer }: Credentials): string | undefined {
  return bearer?.startsWith(joinTokenPrefix) ? undefined : bearer;
}

const serviceAccountSubject = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** `system:serviceaccount:NAMESPACE:ACCOUNT`; undefined for users, nodes, and whatever else has tokens. */
export function readAccount(subject: string | undefined): Omit<WorkloadIdentity, 'trustDomain'> | undefined {
  const [, namespace, serviceAccount] = serviceAccountSubject.exec(subject ?? '') ?? [];
  return namespace === undefined || serviceAccount === undefined ? undefined : { namespace, serviceAccount };
}

/** No `none`, and nothing symmetric: a public key must never serve as a shared secret. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** By a token of an OpenID provider whose subject is a service account, as Kubernetes issues them. */
export function byOidcToken({ issuer, audience, keys, trustDomain, now }: OidcOptions): Authenticator {
  const lookup = keys instanceof URL ? createRemoteJWKSet(keys) : keys;
  return async (credentials) => {
    const bearer = platformToken(credentials);
    if (bearer === undefined) return undefined;
    try {
      const currentDate = new Date(now());
      const { payload } = await jwtVerify(bearer, lookup, {
        issuer,
        audience,
        algorithms,
        currentDate,
        requiredClaims: ['exp', 'sub'],
      });
      const account = readAccount(payload.sub);
      return account
        ? { identity: { trustDomain, ...account }, by: 'oidc' }
        : { error: 'the token is of no service account' };
    } catch (error) {
      if (error instanceof KeysUnavailableError) return { error: error.message, unavailable: true };
      return { error: error instanceof Error ? error.message : String(error) };
    }
  };
}

/**
 * Asks one way after the other. Where one does not believe the credentials, the next is asked, as a token of one issuer
 * is junk to another; where none does and one could not be asked, that is no verdict.
 */
export async function authenticate(ways: readonly Authenticator[], credentials: Credentials): Promise<Proof> {
  const errors: string[] = [];
  let isOpen = false;
  for (const way of ways) {
    const proof = await way(credentials);
    if (!proof) continue;
    if ('identity' in proof) return proof;
    errors.push(proof.error);
    isOpen ||= proof.unavailable === true;
  }
  const error = errors.join('; ') || 'no credentials that are known were shown';
  return isOpen ? { error, unavailable: true } : { error };
}
