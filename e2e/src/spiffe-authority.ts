import fs from 'node:fs';
import path from 'node:path';
import { createPublicKey } from 'node:crypto';
import {
  formatWorkloadId,
  issueCertificate,
  makeRoot,
  makeWorkloadKey,
  readSigner,
  requestForKey,
  type SigningFiles,
  type WorkloadIdentity,
} from '@seine/ca';

const day = 86_400_000;

export interface SvidOptions {
  readonly serviceAccount: string;
  readonly namespace?: string;
  /** Default that of the authority. */
  readonly trustDomain?: string;
  /** Milliseconds since 1970 when it is issued; default now. With a short life in the past it has expired. */
  readonly now?: number;
  readonly lifetimeMs?: number;
}

/** An X.509-SVID with its key, for callers that are no Envoys; PEM. */
export interface Svid {
  readonly spiffeId: string;
  readonly key: Buffer;
  /** The leaf first, then what signed it. */
  readonly cert: Buffer;
  /** Roots of the authority that issued it. */
  readonly ca: Buffer;
}

/** A root of a test's own that issues any identity, also what citadel would never issue. */
export class SpiffeAuthority {
  private constructor(
    readonly trustDomain: string,
    readonly files: SigningFiles,
  ) {}

  static async make(trustDomain = 'cluster.local'): Promise<SpiffeAuthority> {
    return new SpiffeAuthority(trustDomain, await makeRoot({ trustDomain, now: Date.now(), lifetimeMs: 30 * day }));
  }

  /** PEM. */
  get roots(): string {
    return this.files.roots;
  }

  /** Writes what citadel takes by `--cacerts`. @param roots all that are trusted; default its own */
  write(folder: string, roots = this.roots): void {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { certificate, key, chain } = this.files;
    const texts = { 'ca-cert.pem': certificate, 'ca-key.pem': key, 'cert-chain.pem': chain, 'root-cert.pem': roots };
    for (const [name, text] of Object.entries(texts)) fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 });
  }

  async issue(options: SvidOptions): Promise<Svid> {
    const { serviceAccount, namespace = 'default', trustDomain = this.trustDomain } = options;
    const { now = Date.now(), lifetimeMs = day } = options;
    const identity: WorkloadIdentity = { trustDomain, namespace, serviceAccount };
    const key = await makeWorkloadKey('ecdsa-p256');
    const request = requestForKey(createPublicKey(key));
    const { chain } = issueCertificate(readSigner(this.files, Date.now()), { identity, request, lifetimeMs, now });
    return {
      spiffeId: formatWorkloadId(identity),
      key: Buffer.from(key.export({ format: 'pem', type: 'pkcs8' })),
      cert: Buffer.from(chain.join('')),
      ca: Buffer.from(this.roots),
    };
  }
}
