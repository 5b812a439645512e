import type { InboundInput } from '../../inputs.js';
import { type MtlsMode, mtlsModeOf } from './peer-authentication.js';

/** How the clients of a port must come. `REFUSED`: in no way, as what is demanded cannot be. */
export type InboundMtlsMode = MtlsMode | 'REFUSED';

/**
 * What a proxy does about the mode of a port. One without a certificate can take plain text only: that is what is left of
 * PERMISSIVE, but where mutual TLS is demanded it must take nothing rather than plain text.
 */
function inForce(mode: MtlsMode, workloadCertificates: boolean): InboundMtlsMode {
  if (workloadCertificates) return mode;
  return mode === 'STRICT' ? 'REFUSED' : 'DISABLE';
}

/** The mode in force at a port of a workload; undefined: at those that PeerAuthentications say nothing of. */
export function inboundMode({ mtls, proxy }: InboundInput, port: number | undefined): InboundMtlsMode {
  const mode = mtls ? (port === undefined ? mtls.mode : mtlsModeOf(mtls, port)) : 'PERMISSIVE';
  return inForce(mode, proxy.workloadCertificates);
}

/** Whether connections are looked at to see whether they are TLS. */
export function seesTls(mode: InboundMtlsMode): boolean {
  return mode === 'PERMISSIVE' || mode === 'STRICT';
}

/** Whether plain text is taken, in which HTTP may have to be found. */
export function takesPlainText(mode: InboundMtlsMode): boolean {
  return mode === 'PERMISSIVE' || mode === 'DISABLE';
}
