/**
 * The public keys of an issuer of tokens that the configuration does not state, as they were fetched last. Keeps its
 * identity while its content is equal.
 */
export interface KeySet {
  /** What they are found by: see `keySource`. */
  readonly source: string;
  /** A JSON Web Key Set (RFC 7517) of public keys only. */
  readonly jwks: string;
}

/** What a rule says of where keys are. */
export interface KeyLocation {
  readonly issuer?: string | undefined;
  readonly jwks?: string | undefined;
  readonly jwksUri?: string | undefined;
}

/** What a rule's keys are fetched by: `jwksUri`, or the issuer, where OpenID discovery finds them. Nothing where the rule states them. */
export function keySource({ jwks, jwksUri, issuer }: KeyLocation): string | undefined {
  return jwks ? undefined : jwksUri || issuer || undefined;
}
