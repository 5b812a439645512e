import { usageError } from '../command-error.js';
import { CommandError } from '../command-error.js';
import type { Io } from '../io.js';
import { readRunFile, stateDir } from './run-file.js';

/** The flags that say where the mesh is; each has an environment variable, and the run file as the last word. */
export interface AddressFlags {
  readonly state?: string | undefined;
  readonly configApi?: string | undefined;
  readonly pilotAdmin?: string | undefined;
  readonly citadelAdmin?: string | undefined;
}

/** `host:port` or a URL, as a URL without a slash at the end. */
export function parseAddress(text: string, flag: string): string {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (!url?.hostname || url.port === '') throw usageError(`${flag}: ${text} is not host:port or http://host:port`);
  return `${url.protocol}//${url.host}`;
}

/** The gRPC config API's URL. */
export async function configApiUrl(flags: AddressFlags, io: Io): Promise<string> {
  return resolve(flags.configApi ?? io.env['SEINE_CONFIG_API'], 'configApi', '--config-api', flags, io);
}

/** The base URL of pilot's admin port. */
export async function pilotAdminUrl(flags: AddressFlags, io: Io): Promise<string> {
  return resolve(flags.pilotAdmin ?? io.env['SEINE_PILOT_ADMIN'], 'pilotAdmin', '--pilot-admin', flags, io);
}

/** The base URL of citadel's admin port. Where all is one program, that is pilot's. */
export async function citadelAdminUrl(flags: AddressFlags, io: Io): Promise<string> {
  const given = flags.citadelAdmin ?? io.env['SEINE_CITADEL_ADMIN'];
  if (given) return parseAddress(given, '--citadel-admin');
  const { urls } = await readRunFile(stateDir(flags.state, io));
  const key = urls['citadelAdmin'] === undefined ? 'pilotAdmin' : 'citadelAdmin';
  return resolve(undefined, key, '--citadel-admin', flags, io);
}

async function resolve(
  given: string | undefined,
  key: string,
  flag: string,
  flags: AddressFlags,
  io: Io,
): Promise<string> {
  if (given) return parseAddress(given, flag);
  const run = await readRunFile(stateDir(flags.state, io));
  const url = run.urls[key];
  if (url === undefined) throw new CommandError(`the running mesh does not say where its ${key} is: give ${flag}`);
  return parseAddress(url, `run.json ${key}`);
}
