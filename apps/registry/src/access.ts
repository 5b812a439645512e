import { status } from '@grpc/grpc-js';
import { formatWorkloadId, parseWorkloadId, verifyLeaf } from '@seine/ca';
import { type CallRefusal, type DenyList, serviceId, type ServiceIdentity } from '@seine/identity';

/** Who may do what with the config API. */
export interface ConfigApiAccess {
  /** The registry's own certificate, and the roots that it knows clients by. Whoever made it starts and stops it. */
  readonly identity: Pick<ServiceIdentity, 'material' | 'trustDomain' | 'onChange'>;
  /** SPIFFE IDs that may change the mesh, and read it; default `istio-system/seinectl`. */
  readonly admins?: readonly string[] | undefined;
  /** SPIFFE IDs that may read the mesh, secrets and all; default the services of the control plane. */
  readonly readers?: readonly string[] | undefined;
  /** Identities that may do nothing. */
  readonly denied?: DenyList | undefined;
}

const services = ['pilot', 'registry', 'citadel', 'mixer'] as const;
const writing: ReadonlySet<string> = new Set(['Apply', 'Delete']);

/** A call that is not let through. */
export interface RefusedCall extends CallRefusal {
  /** For the log: a stranger hears nothing of it. */
  readonly reason: string;
}

/**
 * Whether a call of the config API is let through.
 * @param path `/seine.config.v1.ConfigService/Apply`
 * @param leaf DER: what the client has shown, verified by TLS; undefined where it showed nothing that counts
 * @param now milliseconds since 1970
 * @returns undefined when it is
 */
export function refuseCall(
  path: string,
  leaf: Buffer | undefined,
  { identity: { trustDomain }, admins, readers, denied }: ConfigApiAccess,
  now: number,
): RefusedCall | undefined {
  const verdict = leaf ? verifyLeaf(leaf, now) : { error: 'no certificate of the mesh was shown' };
  if ('error' in verdict) return unproved(verdict.error);
  const caller = parseWorkloadId(verdict.spiffeId);
  if (caller?.trustDomain !== trustDomain) return unproved(`${verdict.spiffeId} is no workload of ${trustDomain}`);
  const spiffeId = formatWorkloadId(caller);
  if (denied?.isDenied(spiffeId)) return unproved(`${spiffeId} is revoked`);
  if ((admins ?? [serviceId('seinectl', trustDomain)]).includes(spiffeId)) return undefined;
  const method = path.slice(path.lastIndexOf('/') + 1);
  const mayRead = (readers ?? services.map((service) => serviceId(service, trustDomain))).includes(spiffeId);
  if (mayRead && !writing.has(method)) return undefined;
  const details = `${spiffeId} may not call ${method}`;
  return { code: status.PERMISSION_DENIED, details, reason: details };
}

function unproved(reason: string): RefusedCall {
  return { code: status.UNAUTHENTICATED, details: 'the client’s identity is not proved', reason };
}
