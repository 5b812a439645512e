import { X509Certificate } from 'node:crypto';
import type { AuthorityReport, IssuedReport, RootReport, RootRole } from '@seine/api';
import {
  activationRefusal,
  type AuditRecord,
  type AuthorityState,
  fingerprintOf,
  phaseOf,
  splitCertificates,
} from '@seine/ca';
import type { CitadelService } from '../citadel.service.js';

function rootsOf({ active, prepared, retiring }: AuthorityState): readonly RootReport[] {
  const of = (pems: string, role: RootRole, until?: number): RootReport[] =>
    splitCertificates(pems).map((pem) => {
      const certificate = new X509Certificate(pem);
      return {
        fingerprint: fingerprintOf(pem),
        subject: certificate.subject.replaceAll('\n', ', '),
        notBefore: new Date(certificate.validFrom).toISOString(),
        notAfter: new Date(certificate.validTo).toISOString(),
        role,
        ...(until !== undefined && { retiresAt: new Date(until).toISOString() }),
      };
    });
  return [
    ...of(active.root, 'signing'),
    ...(prepared ? of(prepared.generation.root, 'prepared') : []),
    ...retiring.flatMap(({ root, until }) => of(root, 'retiring', until)),
  ];
}

export function reportAuthority(citadel: CitadelService): AuthorityReport {
  const state = citadel.keeper.state();
  const spread = citadel.spread();
  const { prepared } = state;
  const waitingFor = prepared && activationRefusal(state, citadel.now(), spread);
  return {
    trustDomain: citadel.trustDomain,
    sequence: state.sequence,
    phase: phaseOf(state),
    roots: rootsOf(state),
    ...(prepared && { preparedAt: new Date(prepared.since).toISOString(), automatic: prepared.auto }),
    ...(waitingFor !== undefined && { waitingFor }),
    followers: citadel.followers.list().map(({ spiffeId = '', address, acknowledged }) => ({
      spiffeId,
      address,
      upToDate: acknowledged === citadel.trust.version,
    })),
    federated: [...citadel.bundles().keys()].filter((domain) => !citadel.trust.own.has(domain)),
  };
}

export interface IssuedQuestion {
  readonly identity: string | undefined;
  /** Those that have ended, too. */
  readonly ended: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Those of a mesh with hundreds of thousands of certificates would not be read by anybody. */
const mostReported = 10_000;

/** What the audit log says of issued certificates, the newest first. */
export async function reportIssued(
  records: AsyncIterable<AuditRecord>,
  { identity, ended, now }: IssuedQuestion,
): Promise<readonly IssuedReport[]> {
  const found: IssuedReport[] = [];
  for await (const { event, spiffeId, serial, notAfter, time, by, address } of records) {
    if (event !== 'issued' || serial === undefined || notAfter === undefined) continue;
    if (identity !== undefined && spiffeId !== identity) continue;
    if (!ended && Date.parse(notAfter) <= now) continue;
    found.push({ spiffeId, serial, issuedAt: time, notAfter, by, address });
    if (found.length > mostReported) found.shift();
  }
  return found.reverse();
}
