import path from 'node:path';
import type { LoggerService } from '@nestjs/common';
import { type CitadelService, openCitadel, parseArguments } from '@seine/app-citadel';
import type { Authenticator } from '@seine/identity';

/** A laptop has no agents that are away: a new root is everywhere within seconds. */
const rotationWaitSeconds = '10';

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
  const flags = ['--state', folderIn(stateDir), '--trust-domain', trustDomain, '--rotation-wait', rotationWaitSeconds];
  return await openCitadel({ ...parseArguments(flags), authenticators, logger });
}
