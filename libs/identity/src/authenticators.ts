import { createRemoteJWKSet, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { WorkloadIdentity } from '@seine/ca';

/** What a caller has shown. */
export interface Credentials {
  /** Of the header `authorization`. */
  readonly bearer: string | undefined;
  /** DER of the client certificate. */
  readonly certificate: Buffer | undefined;
}

export type Proof =
  | { readonly identity: WorkloadIdentity; readonly by: string }
  /** For the log: the caller hears nothing of it (C-9). */
  | { readonly error: string };

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

const serviceAccountSubject = /^system:serviceaccount:([^:]+):([^:]+)$/;
/** No `none`, and nothing symmetric: a public key must never serve as a shared secret. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** By a token of an OpenID provider whose subject is a service account, as Kubernetes issues them. */
export function byOidcToken({ issuer, audience, keys, trustDomain, now }: OidcOptions): Authenticator {
  const lookup = keys instanceof URL ? createRemoteJWKSet(keys) : keys;
  return async ({ bearer }) => {
    if (bearer === undefined || bearer.startsWith(joinTokenPrefix)) return undefined;
    try {
      const currentDate = new Date(now());
      const { payload } = await jwtVerify(bearer, lookup, {
        issuer,
        audience,
        algorithms,
        currentDate,
        requiredClaims: ['exp', 'sub'],
      });
      const [, namespace, serviceAccount] = serviceAccountSubject.exec(payload.sub ?? '') ?? [];
      if (namespace === undefined || serviceAccount === undefined)
        return { error: 'the token is of no service account' };
      return { identity: { trustDomain, namespace, serviceAccount }, by: 'oidc' };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  };
}

/** Asks one way after the other; the first that knows the credentials decides. */
export async function authenticate(ways: readonly Authenticator[], credentials: Credentials): Promise<Proof> {
  for (const way of ways) {
    const proof = await way(credentials);
    if (proof) return proof;
  }
  return { error: 'no credentials that are known were shown' };
}
