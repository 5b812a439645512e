import type { AdminAction, AuditRecord } from '@seine/ca';

export interface AdminDetails {
  /** Whom it is about. */
  readonly spiffeId?: string;
  readonly reason?: string;
}

/** What an operator has done, as the audit log has it. Whoever shows the admin token is the operator. @param now ms since 1970 */
export function adminRecord(
  now: number,
  action: AdminAction,
  { spiffeId = '', reason = '' }: AdminDetails = {},
): AuditRecord {
  const about = { spiffeId, by: 'the admin token', address: '', ...(reason !== '' && { reason }) };
  return { time: new Date(now).toISOString(), event: 'administered', action, ...about };
}
