import fs from 'node:fs';
import net from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { RedisOptions as ClientOptions } from 'ioredis';
import type { RedisAddress } from './redis-url.js';

/** How Redis is reached. Files are read anew for each connection: what they hold may be renewed. */
export interface RedisOptions {
  readonly address: RedisAddress;
  /** Holds the password; before that of the address. */
  readonly passwordFile?: string | undefined;
  /** ACL user; before that of the address. Absent = `default`. */
  readonly user?: string | undefined;
  /** Holds the Sentinels' password; absent = they ask for none. */
  readonly sentinelPasswordFile?: string | undefined;
  /** PEM: by these Redis is known; absent = by those of the system. */
  readonly caFile?: string | undefined;
  /** PEM: what this client shows, with its key. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** How long a call is waited for, ms; default 20. */
  readonly timeoutMs?: number | undefined;
  /** How many calls may be under way; more are refused at once. Default 1000. */
  readonly maxPending?: number | undefined;
}

/** So long a connection may take until it works. */
export const connectMs = 1000;

/**
 * What the client is told. It does nothing by itself: it neither connects again nor keeps calls for later, as who calls
 * must hear at once.
 * @throws Error where a file cannot be read
 */
export function clientOptions(options: RedisOptions): ClientOptions {
  const { address, sentinelPasswordFile } = options;
  const [first] = address.nodes;
  const tls = address.tls ? tlsOptions(options) : undefined;
  const place =
    address.sentinelOf === undefined
      ? { host: first?.host, port: first?.port }
      : {
          sentinels: address.nodes.map((node) => ({ ...node })),
          name: address.sentinelOf,
          sentinelPassword: secretOf(sentinelPasswordFile),
          sentinelRetryStrategy: () => null,
          sentinelCommandTimeout: connectMs,
          ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
        };
  return {
    ...place,
    ...(tls && { tls }),
    username: options.user ?? address.user,
    password: secretOf(options.passwordFile) ?? address.password,
    db: address.database,
    protocol: 2,
    lazyConnect: true,
    connectTimeout: connectMs,
    // One that hangs does not end its side.
    disconnectTimeout: 100,
    keepAlive: 10_000,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // Asks INFO, which an ACL user need not have; PING tells as well whether Redis takes calls.
    enableReadyCheck: false,
    disableClientInfo: true,
  };
}

function tlsOptions({ address, caFile, certFile, keyFile }: RedisOptions): ConnectionOptions {
  const [first] = address.nodes;
  // Addresses are no names to ask for, and those of Sentinels are not the master's.
  const name = first && address.sentinelOf === undefined && !net.isIP(first.host) ? first.host : undefined;
  return {
    ...(caFile !== undefined && { ca: fs.readFileSync(caFile) }),
    ...(certFile !== undefined && { cert: fs.readFileSync(certFile) }),
    ...(keyFile !== undefined && { key: fs.readFileSync(keyFile) }),
    ...(name !== undefined && { servername: name }),
    minVersion: 'TLSv1.2',
  };
}

function secretOf(file: string | undefined): string | undefined {
  return file === undefined ? undefined : fs.readFileSync(file, 'utf8').replace(/\r?\n$/, '');
}
