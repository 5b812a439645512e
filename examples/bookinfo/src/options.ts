/** What one copy of the sample is: a role, a version and where it listens. */
export interface AppOptions {
  readonly role: Role;
  readonly version: string;
  readonly host: string;
  readonly port: number;
  /** What answers call this copy: a pod's name. */
  readonly podName: string;
  /** The sidecar's HTTP proxy listener (`http://127.20.1.1:15007`); absent where connections are redirected anyway. */
  readonly proxy?: URL | undefined;
  /** The port under which the services find each other. */
  readonly servicePort: number;
}

export const roles = ['productpage', 'details', 'reviews', 'ratings', 'service1', 'service2'] as const;
export type Role = (typeof roles)[number];

/** Thrown when the program cannot know what to be; the message says what would be right. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}

/**
 * Reads `main.js ROLE` and the environment.
 * @throws OptionsError
 */
export function parseOptions(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): AppOptions {
  const role = roles.find((known) => known === argv[0]);
  if (!role) throw new OptionsError(`usage: main.js ${roles.join('|')}, not '${argv[0] ?? ''}'`);
  const version = env['VERSION'] ?? 'v1';
  return {
    role,
    version,
    host: env['HOST'] ?? '127.0.0.1',
    port: portOf(env, 'PORT', 9080),
    podName: env['POD_NAME'] ?? `${role}-${version}`,
    proxy: proxyOf(env['SEINE_HTTP_PROXY']),
    servicePort: portOf(env, 'SERVICE_PORT', 9080),
  };
}

function portOf(env: Readonly<Record<string, string | undefined>>, name: string, otherwise: number): number {
  const text = env[name];
  if (text === undefined) return otherwise;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new OptionsError(`${name} is a port, not '${text}'`);
  return port;
}

function proxyOf(text: string | undefined): URL | undefined {
  if (!text) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:') throw new OptionsError(`SEINE_HTTP_PROXY is an http:// URL, not '${text}'`);
  return url;
}
