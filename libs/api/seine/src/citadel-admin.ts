/** What citadel's admin port says and takes, as JSON. Times are RFC 3339. */

/** `GET /ca`. */
export interface AuthorityReport {
  readonly trustDomain: string;
  /** Rises with each change of the trusted roots. */
  readonly sequence: number;
  readonly phase: 'stable' | 'prepared' | 'activated';
  readonly roots: readonly RootReport[];
  readonly preparedAt?: string;
  /** Whether the rotation goes on by itself. */
  readonly automatic?: boolean;
  /** Why the prepared root does not sign yet. */
  readonly waitingFor?: string;
  readonly followers: readonly FollowerReport[];
  /** Other trust domains that are believed. */
  readonly federated: readonly string[];
}

export type RootRole = 'signing' | 'prepared' | 'retiring';

export interface RootReport {
  /** SHA-256, hex. */
  readonly fingerprint: string;
  readonly subject: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly role: RootRole;
  /** When its last certificate has ended, at the latest. */
  readonly retiresAt?: string;
}

/** Who follows the bundle over SDS. */
export interface FollowerReport {
  /** Empty for one that has shown no certificate of the mesh. */
  readonly spiffeId: string;
  readonly address: string;
  readonly upToDate: boolean;
}

/** `POST /ca/rotate`. `start` prepares, and goes on by itself. */
export interface RotateRequest {
  readonly step: 'start' | 'prepare' | 'activate' | 'retire' | 'cancel';
  readonly force?: boolean;
}

/** `GET /ca/certificates`. */
export interface IssuedReport {
  readonly spiffeId: string;
  /** Hex. */
  readonly serial: string;
  readonly issuedAt: string;
  readonly notAfter: string;
  /** How the identity was proved. */
  readonly by: string;
  readonly address: string;
}

/** `POST /ca/denied`. */
export interface DenialRequest {
  readonly spiffeId: string;
  readonly reason?: string;
}

/** `GET /ca/denied`. */
export interface DenialReport {
  readonly spiffeId: string;
  readonly reason: string;
  readonly since: string;
}

/** `GET /denied`: what proxies are to refuse. */
export interface DeniedReport {
  /** Rises with each change. */
  readonly revision: number;
  /** SPIFFE IDs. */
  readonly denied: readonly string[];
}

/** `POST /ca/tokens`. */
export interface JoinTokenRequest {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Seconds; an hour where it is left out. */
  readonly ttl?: number;
}

export interface JoinTokenResponse {
  readonly token: string;
  readonly spiffeId: string;
  readonly expiresAt: string;
}
