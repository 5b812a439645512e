/** How a registry knows who asks. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** `Bearer realm="…",service="…",scope="…"` taken apart (RFC 9110, 11.6.1). */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

export function parseChallenge(header: string): Challenge {
  const [scheme = ''] = header.split(' ', 1);
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, plain] of header.slice(scheme.length).matchAll(/([\w-]+)=(?:"([^"]*)"|([^\s,]+))/g))
    parameters.set(name.toLowerCase(), quoted ?? plain ?? '');
  return { scheme: scheme.toLowerCase(), parameters };
}

export function basicAuthorization({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Docker Hub has three names in such files. */
const hubNames = new Set(['index.docker.io', 'docker.io', 'registry-1.docker.io']);

function hostOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  return hubNames.has(host) ? 'index.docker.io' : host;
}

type Json = Readonly<Record<string, unknown>>;

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The credentials for a registry in what a Secret of type `kubernetes.io/dockerconfigjson` holds (or the older
 * `dockercfg`, which is the inner map alone). Undefined: none for this host, or not readable.
 */
export function credentialsFor(dockerConfig: string, host: string): Credentials | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(dockerConfig);
  } catch {
    return undefined;
  }
  if (!isJson(parsed)) return undefined;
  const auths = isJson(parsed['auths']) ? parsed['auths'] : parsed;
  const entry = Object.entries(auths).find(([key]) => hostOf(key) === hostOf(host))?.[1];
  if (!isJson(entry)) return undefined;
  const { username, password, auth } = entry;
  if (typeof username === 'string' && typeof password === 'string') return { username, password };
  if (typeof auth !== 'string') return undefined;
  const decoded = Buffer.from(auth, 'base64').toString();
  const colon = decoded.indexOf(':');
  return colon < 0 ? undefined : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
