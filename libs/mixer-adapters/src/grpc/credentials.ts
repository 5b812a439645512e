import { readFile } from 'node:fs/promises';
import { ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import type { AdapterConnection } from '@seine/istio';
import type { AdapterRim } from '../rim/rim.js';
import { OAuthToken } from './oauth-token.js';

type Authentication = NonNullable<AdapterConnection['authentication']>;
type Tls = NonNullable<Authentication['tls']>;

export interface AdapterChannel {
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
  /** Equal where nothing has changed: of what its files hold. */
  readonly signature: string;
}

/** Header and value that prove who mixer is; undefined where none is asked for. */
export type TokenHeader = () => Promise<readonly [string, string] | undefined>;

const readIf = async (file: string | undefined): Promise<Buffer | null> => (file ? readFile(file) : null);

/**
 * How an adapter is reached.
 * @throws Error (rejects) where a file cannot be read, or holds no key or certificate
 */
export async function channelOf({ tls, mutual }: Authentication = {}): Promise<AdapterChannel> {
  if (!tls && !mutual) return { credentials: credentials.createInsecure(), options: {}, signature: '' };
  const name = (tls ?? mutual)?.serverName;
  const [roots, key, certificate] = await Promise.all([
    readIf((tls ?? mutual)?.caCertificates),
    readIf(mutual?.privateKey),
    readIf(mutual?.clientCertificate),
  ]);
  return {
    credentials: credentials.createSsl(roots, key, certificate),
    options: name ? { 'grpc.ssl_target_name_override': name, 'grpc.default_authority': name } : {},
    signature: [roots, key, certificate].map((part) => part?.toString('base64') ?? '').join(' '),
  };
}

/** Tokens are read from their file for each call: whoever makes them writes new ones there. */
export function tokenHeader({ tls }: Authentication = {}, rim: AdapterRim, now: () => number): TokenHeader {
  if (!tls) return () => Promise.resolve(undefined);
  const token = tokenOf(tls, rim, now);
  if (!token) return () => Promise.resolve(undefined);
  const header = tls.customHeader ?? 'authorization';
  const prefix = tls.authHeader === 'BEARER' && !tls.customHeader ? 'Bearer ' : '';
  return async () => [header, `${prefix}${await token()}`];
}

function tokenOf({ tokenPath, oauth }: Tls, rim: AdapterRim, now: () => number): (() => Promise<string>) | undefined {
  if (tokenPath) return async () => (await readFile(tokenPath, 'utf8')).trim();
  if (!oauth) return undefined;
  const source = new OAuthToken(oauth, rim.fetch, now);
  return () => source.get();
}
