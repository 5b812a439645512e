import { parseAddress, readFlags, UsageError } from '@seine/nest';

export { UsageError };

export interface CitadelArguments {
  readonly trustDomain: string;
  readonly stateDir: string;
  /** A folder with Istio's `cacerts` files; undefined = a root of citadel's own, in the state directory. */
  readonly cacertsDir: string | undefined;
  /** The certificate API, `host:port`. */
  readonly listen: string;
  /** Health, metrics and the trust bundle. */
  readonly admin: { readonly host: string; readonly port: number };
  /** Seconds. */
  readonly lifetimes: { readonly fallback: number; readonly maximum: number };
  readonly dnsNames: readonly string[];
  readonly oidc: { readonly issuer: string; readonly audience: string; readonly keys: URL } | undefined;
}

export const usage = `usage: citadel --state DIR [--cacerts DIR] [--trust-domain NAME] [--listen HOST:PORT] [--admin HOST:PORT]
               [--ttl SECONDS] [--max-ttl SECONDS] [--dns-name NAME …]
               [--oidc-issuer URL --oidc-jwks URL [--oidc-audience NAME]]
  --state DIR          what citadel keeps: its root, when none is plugged in, and the audit log
  --cacerts DIR        plug in a CA: ca-cert.pem, ca-key.pem, cert-chain.pem, root-cert.pem
  --trust-domain NAME  first part of every identity (default cluster.local)
  --listen HOST:PORT   the certificate API, over TLS (default 127.0.0.1:15012)
  --admin HOST:PORT    /ready, /healthz, /metrics, /bundle, /root-cert.pem (default 127.0.0.1:15016)
  --ttl SECONDS        lifetime of certificates where none is asked for (default 86400)
  --max-ttl SECONDS    longest lifetime that may be asked for (default 7776000)
  --dns-name NAME      a name that agents reach citadel by (default istiod.istio-system.svc and the like)
  --oidc-…             whose tokens prove service accounts: issuer, key set, audience (default istio-ca)`;

const defaultNames = ['istiod.istio-system.svc', 'istio-ca.istio-system.svc', 'citadel.istio-system.svc', 'localhost'];

const options = {
  state: { type: 'string' },
  cacerts: { type: 'string' },
  'trust-domain': { type: 'string', default: 'cluster.local' },
  listen: { type: 'string', default: '127.0.0.1:15012' },
  admin: { type: 'string', default: '127.0.0.1:15016' },
  ttl: { type: 'string', default: '86400' },
  'max-ttl': { type: 'string', default: '7776000' },
  'dns-name': { type: 'string', multiple: true },
  'oidc-issuer': { type: 'string' },
  'oidc-jwks': { type: 'string' },
  'oidc-audience': { type: 'string', default: 'istio-ca' },
} as const;

function seconds(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`--${flag} '${text}' is not a number of seconds`);
  return value;
}

function oidcOf(issuer: string | undefined, jwks: string | undefined, audience: string): CitadelArguments['oidc'] {
  if (issuer === undefined && jwks === undefined) return undefined;
  if (issuer === undefined || jwks === undefined) throw new UsageError('--oidc-issuer and --oidc-jwks go together');
  if (!URL.canParse(jwks)) throw new UsageError(`--oidc-jwks '${jwks}' is not a URL`);
  return { issuer, audience, keys: new URL(jwks) };
}

/** @throws UsageError */
export function parseArguments(argv: readonly string[]): CitadelArguments {
  const values = readFlags(argv, options);
  if (values.state === undefined) throw new UsageError('--state is required: it is where citadel keeps its root');
  const lifetimes = { fallback: seconds('ttl', values.ttl), maximum: seconds('max-ttl', values['max-ttl']) };
  if (lifetimes.fallback > lifetimes.maximum) throw new UsageError('--ttl is longer than --max-ttl');
  parseAddress(values.listen);
  return {
    trustDomain: values['trust-domain'],
    stateDir: values.state,
    cacertsDir: values.cacerts,
    listen: values.listen,
    admin: parseAddress(values.admin),
    lifetimes,
    dnsNames: values['dns-name'] ?? defaultNames,
    oidc: oidcOf(values['oidc-issuer'], values['oidc-jwks'], values['oidc-audience']),
  };
}
