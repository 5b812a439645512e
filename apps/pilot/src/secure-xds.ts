import { formatWorkloadId, type WorkloadIdentity } from '@seine/ca';
import { authenticate, type Authenticator, type DenyList, judgePeer, type ServiceIdentity } from '@seine/identity';
import type { Admission, Authenticate } from '@seine/xds-server';

/** ADS over mutual TLS. */
export interface SecureXdsOptions {
  /** `host:port` */
  readonly listen: string;
  /** Pilot's own certificate and the roots that it knows proxies by. Whoever made it starts and stops it. */
  readonly identity: Pick<ServiceIdentity, 'material' | 'bundles' | 'trustDomain' | 'onChange'>;
  /** Further trust domains whose proxies are served (aliases); default pilot's own alone. */
  readonly trustDomains?: readonly string[] | undefined;
  /** How tokens in `authorization: Bearer` are judged, for clients that show no certificate; default none is believed. */
  readonly authenticators?: readonly Authenticator[] | undefined;
  /** Identities that get nothing; streams that they have open end. */
  readonly denied?: DenyList | undefined;
}

const anybody: Admission = { identity: undefined };
const bearerForm = /^Bearer +(\S+)$/i;

/** A stranger learns nothing of what was wrong. */
function refuse(reason: string): Admission {
  return { error: 'the client’s identity is not proved', reason };
}

/**
 * Who a stream is of: whoever shows a certificate of the mesh, or, where none is shown, a token that is believed. A
 * certificate that is not believed is never overlooked for a token. On plain text everybody comes in: who opened that
 * port wants it so.
 * @param now milliseconds since 1970
 */
export function authenticateStreams(options: SecureXdsOptions, now: () => number): Authenticate {
  const { identity, authenticators = [], denied } = options;
  const trustDomains = new Set([identity.trustDomain, ...(options.trustDomains ?? [])]);
  const admit = (judged: { readonly identity: WorkloadIdentity } | { readonly error: string }): Admission => {
    if ('error' in judged) return refuse(judged.error);
    const spiffeId = formatWorkloadId(judged.identity);
    if (!trustDomains.has(judged.identity.trustDomain)) return refuse(`${spiffeId} is of another trust domain`);
    return denied?.isDenied(spiffeId) ? refuse(`${spiffeId} is revoked`) : { identity: judged.identity };
  };
  return ({ certificates, authorization }) => {
    if (certificates === undefined) return anybody;
    if (certificates.length > 0) return admit(judgePeer(certificates, identity.bundles, now()));
    const [, bearer] = bearerForm.exec(authorization) ?? [];
    if (bearer === undefined || authenticators.length === 0) return refuse('no certificate was shown');
    return authenticate(authenticators, { bearer, certificate: undefined }).then(admit);
  };
}
