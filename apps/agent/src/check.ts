import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { clockHint } from '@seine/identity';
import { parseAddress } from '@seine/nest';
import { readTrustedRoots } from '@seine/sds';
import type { AgentArguments, WorkloadArguments } from './config.js';
import { TokenFile } from './token-file.js';

/** One thing that was looked at. */
export interface Finding {
  readonly what: string;
  /** What is wrong, and what would be right; undefined where nothing is. */
  readonly wrong: string | undefined;
}

const patienceMs = 5_000;

function readText(file: string): string | undefined {
  try {
    return fs.statSync(file).isFile() ? fs.readFileSync(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

function rootsOf(file: string): { readonly roots: readonly string[] } | { readonly error: string } {
  const text = readText(file);
  return text === undefined ? { error: 'is not there, or cannot be read' } : readTrustedRoots(text);
}

function checkWorkload({ name, tokenFile, socket }: WorkloadArguments): readonly Finding[] {
  const folder = path.dirname(socket);
  const stat = fs.statSync(folder, { throwIfNoEntry: false });
  const mode = (stat?.mode ?? 0) & 0o777;
  const isOpen = (mode & 0o007) !== 0;
  const findings = [
    {
      what: `${name}: the folder of its socket, ${folder}`,
      wrong: isOpen ? `has mode ${mode.toString(8)}: others can reach the socket; 700 is right` : undefined,
    },
  ];
  if (tokenFile === undefined) return findings;
  return [
    { what: `${name}: its token file ${tokenFile}`, wrong: new TokenFile().read(readText(tokenFile)) },
    ...findings,
  ];
}

/** Whether citadel answers and is known by the roots; its name is looked at when certificates are asked for. */
async function citadelError(address: string, roots: readonly string[]): Promise<string | undefined> {
  const { host, port } = parseAddress(address);
  return await new Promise((resolve) => {
    const options = { host, port, ca: [...roots], ALPNProtocols: ['h2'], checkServerIdentity: () => undefined };
    const socket = tls.connect(options, () => done(undefined));
    const done = (wrong: string | undefined): void => {
      socket.destroy();
      resolve(wrong);
    };
    socket.setTimeout(patienceMs, () => done(`does not answer within ${patienceMs / 1000} s`));
    socket.once('error', (error: Error) => done(`${error.message || 'cannot be reached'}${clockHint(error.message)}`));
  });
}

/** Looks at all that an agent with these arguments needs. */
export async function check(options: AgentArguments): Promise<readonly Finding[]> {
  const { rootCertFile, federatedBundleFiles, workloads, citadel } = options;
  const read = rootsOf(rootCertFile);
  const roots = 'error' in read ? [] : read.roots;
  return [
    { what: `the file of roots ${rootCertFile}`, wrong: 'error' in read ? read.error : undefined },
    ...[...federatedBundleFiles].map(([domain, file]) => ({
      what: `the roots of ${domain}, ${file}`,
      wrong: readText(file) === undefined ? 'is not there, or cannot be read' : undefined,
    })),
    ...workloads.flatMap(checkWorkload),
    {
      what: `citadel at ${citadel}`,
      wrong: roots.length === 0 ? 'cannot be known without roots' : await citadelError(citadel, roots),
    },
  ];
}
