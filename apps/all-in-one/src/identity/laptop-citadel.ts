import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { LoggerService } from '@nestjs/common';
import { AuditLog, CitadelService, SigningDirectory } from '@seine/app-citadel';
import type { Authenticator } from '@seine/identity';
import { later } from '@seine/nest';

/** As Istio's self-signed roots have. */
const rootLifetimeMs = 10 * 365 * 86_400_000;
/** Seconds: a day, and 90 days at most. */
const lifetimes = { fallback: 86_400, maximum: 7_776_000 };
const dnsNames = ['istiod.istio-system.svc', 'citadel.istio-system.svc', 'localhost'];

const folderIn = (stateDir: string): string => path.join(stateDir, 'citadel');

/** All roots that are trusted, PEM. */
export function rootCertFile(stateDir: string): string {
  return path.join(folderIn(stateDir), 'ca', 'root-cert.pem');
}

export interface LaptopCitadelOptions {
  /** Of the whole mesh. */
  readonly stateDir: string;
  readonly trustDomain: string;
  readonly authenticators: readonly Authenticator[];
  readonly logger: LoggerService;
}

/** The certificate authority of one machine: its root is made at the first start and kept in the state directory. */
export async function openLaptopCitadel(options: LaptopCitadelOptions): Promise<CitadelService> {
  const { stateDir, trustDomain, authenticators, logger } = options;
  const folder = folderIn(stateDir);
  const now = (): number => Date.now();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const audit = new AuditLog(path.join(folder, 'audit.log'));
  return new CitadelService({
    trustDomain,
    files: await new SigningDirectory(folder).open(trustDomain, now(), rootLifetimeMs),
    lifetimes,
    dnsNames,
    authenticators,
    audit: (record) => audit.write(record),
    onRefused: (address, reason) => void logger.warn(`${address}: ${reason}`, 'citadel'),
    now,
    random: Math.random,
    later,
  });
}
