import type { RunClient } from '@seine/api';
import { CommandError, usageError } from '../command-error.js';
import type { Io } from '../io.js';
import { readRunFile, stateDir } from './run-file.js';

/** The flags that say where the mesh is; each has an environment variable, and the run file as the last word. */
export interface AddressFlags {
  readonly state?: string | undefined;
  readonly configApi?: string | undefined;
  readonly pilotAdmin?: string | undefined;
  readonly citadelAdmin?: string | undefined;
  readonly mixerAdmin?: string | undefined;
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

/** Where the config API is, and for mutual TLS (`https://`) who calls, and who must answer. */
export interface ConfigApiTarget {
  readonly url: string;
  /** PEM files, and the SPIFFE ID of the registry; undefined where nobody shows anything, in plain text. */
  readonly client?: (Omit<RunClient, 'servers'> & { readonly server: string }) | undefined;
}

const registryId = 'spiffe://cluster.local/ns/istio-system/sa/registry';

/**
 * The gRPC config API. What is shown there comes from the running mesh, or where the address is given, from the
 * environment.
 */
export async function configApiTarget(flags: AddressFlags, io: Io): Promise<ConfigApiTarget> {
  const url = await configApiUrl(flags, io);
  if (!url.startsWith('https:')) return { url };
  const { env } = io;
  const [certificate, key, roots] = [env['SEINE_CLIENT_CERT'], env['SEINE_CLIENT_KEY'], env['SEINE_ROOT_CERT']];
  const server = env['SEINE_CONFIG_API_ID'] ?? registryId;
  if (certificate && key && roots) return { url, client: { certificate, key, roots, server } };
  const run = await readRunFile(stateDir(flags.state, io)).catch(() => undefined);
  if (run?.client && run.urls['configApi'] === url) {
    const { servers, ...files } = run.client;
    return { url, client: { ...files, server: servers['configApi'] ?? registryId } };
  }
  throw new CommandError(
    `the config API at ${url} wants to know who calls: give SEINE_CLIENT_CERT, SEINE_CLIENT_KEY and SEINE_ROOT_CERT (PEM files)`,
  );
}

/** The base URL of pilot's admin port. */
export async function pilotAdminUrl(flags: AddressFlags, io: Io): Promise<string> {
  return resolve(flags.pilotAdmin ?? io.env['SEINE_PILOT_ADMIN'], 'pilotAdmin', '--pilot-admin', flags, io);
}

/** The base URL of citadel's admin port. */
export async function citadelAdminUrl(flags: AddressFlags, io: Io): Promise<string> {
  return ownOrPilots(flags.citadelAdmin ?? io.env['SEINE_CITADEL_ADMIN'], 'citadelAdmin', '--citadel-admin', flags, io);
}

/** The base URL of mixer's admin port. */
export async function mixerAdminUrl(flags: AddressFlags, io: Io): Promise<string> {
  return ownOrPilots(flags.mixerAdmin ?? io.env['SEINE_MIXER_ADMIN'], 'mixerAdmin', '--mixer-admin', flags, io);
}

/** Where all is one program, pilot's admin port is everybody's. */
async function ownOrPilots(
  given: string | undefined,
  key: string,
  flag: string,
  flags: AddressFlags,
  io: Io,
): Promise<string> {
  if (given) return parseAddress(given, flag);
  const { urls } = await readRunFile(stateDir(flags.state, io));
  return resolve(undefined, urls[key] === undefined ? 'pilotAdmin' : key, flag, flags, io);
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
