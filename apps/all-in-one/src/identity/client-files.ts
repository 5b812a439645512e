import fs from 'node:fs';
import path from 'node:path';
import type { RunClient } from '@seine/api';
import { type ServiceIdentity, serviceId } from '@seine/identity';

const ownerOnly = 0o600;

/**
 * By what seinectl shows that it is this user's: a certificate with its key in a file that only the user can read, kept
 * new while the mesh runs.
 * @param folder that only the user can read
 * @returns where it is
 */
export function keepClientFiles(
  folder: string,
  rootCertFile: string,
  identity: Pick<ServiceIdentity, 'material' | 'onChange' | 'trustDomain'>,
): RunClient {
  // One file, so that a certificate is never read with the key of another.
  const file = path.join(folder, 'seinectl.pem');
  const write = (): void => {
    const { material } = identity;
    // A mesh that is being closed has no folder any more.
    if (!material || !fs.existsSync(folder)) return;
    fs.writeFileSync(`${file}.new`, material.key + material.chain, { mode: ownerOnly });
    fs.renameSync(`${file}.new`, file);
  };
  identity.onChange(write);
  write();
  const servers = { configApi: serviceId('registry', identity.trustDomain) };
  return { certificate: file, key: file, roots: rootCertFile, servers };
}
