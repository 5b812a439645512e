import { createPrivateKey } from 'node:crypto';
import { exportKey, type HeldCertificate, type KeptCertificate } from '@seine/sds';
import type { RecordStore } from './record-store.js';

interface CertificateRecord {
  readonly workload: string;
  /** The identity it was for: a name may be given to another one. */
  readonly spiffeId: string;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  /** PEM. */
  readonly chain: readonly string[];
  readonly key: string;
}

/** A platform's tokens are JWTs: they are read again from their file. Any other, as a join token, proves once. */
export function provesOnce(token: string | undefined): boolean {
  return token?.startsWith('eyJ') !== true || token.split('.').length !== 3;
}

/**
 * Certificates, with their keys, of workloads whose proof is used up: what a restarted agent goes on with and renews by.
 * Those of other workloads are never written.
 */
export class KeptCertificates {
  constructor(private readonly records: RecordStore) {}

  keep(workload: string, spiffeId: string, { issuedAt, chain, key }: HeldCertificate): void {
    const record: CertificateRecord = { workload, spiffeId, issuedAt, chain, key: exportKey(key) };
    this.records.put('certificates', workload, record);
  }

  find(workload: string, spiffeId: string): KeptCertificate | undefined {
    const record = this.records.get('certificates', workload) as Partial<CertificateRecord> | undefined;
    const { issuedAt, chain, key } = record ?? {};
    if (record?.spiffeId !== spiffeId || issuedAt === undefined || !Array.isArray(chain) || key === undefined)
      return undefined;
    try {
      return { issuedAt, chain, key: createPrivateKey(key) };
    } catch {
      return undefined;
    }
  }

  forget(workload: string): void {
    this.records.delete('certificates', workload);
  }
}
