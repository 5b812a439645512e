import type { Authenticator, DenyList, ServiceIdentity } from '@seine/identity';

/** ADS over mutual TLS. */
export interface SecureXdsOptions {
  /** `host:port` */
  readonly listen: string;
  /** Pilot's own certificate and the roots that it knows proxies by. Whoever made it starts and stops it. */
  readonly identity: ServiceIdentity;
  /** Further trust domains whose proxies are served (aliases); default pilot's own alone. */
  readonly trustDomains?: readonly string[];
  /** How tokens in `authorization: Bearer` are judged, for clients that show no certificate; default none is believed. */
  readonly authenticators?: readonly Authenticator[];
  /** Identities that get nothing; streams that they have open end. */
  readonly denied?: DenyList;
}
