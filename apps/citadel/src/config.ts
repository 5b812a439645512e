import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseWorkloadId, type RateLimit, trustDomainError } from '@seine/ca';
import { parseAddress, readFlags, UsageError } from '@seine/nest';
import type { FederatedDomain } from './federation/federation.js';

export { UsageError };

export type Address = ReturnType<typeof parseAddress>;

/** An OpenID provider whose tokens prove service accounts. */
export interface OidcArguments {
  readonly issuer: string;
  readonly audience: string;
  /** Where its keys are; undefined = its discovery document says it. */
  readonly keys: URL | undefined;
}

/** Whose API server reviews tokens, and has certificates signed. */
export interface KubeArguments {
  /** Undefined = that of the pod that citadel runs in. */
  readonly url: URL | undefined;
  readonly tokenFile: string | undefined;
  readonly caFile: string | undefined;
}

export interface TokenReviewArguments {
  readonly audience: string;
  readonly acceptLegacy: boolean;
}

/** Who signs in place of citadel's own key. */
export type SignerArguments = {
  /** PEM. */
  readonly rootsFile: string;
} & (
  | { readonly kind: 'kubernetes'; readonly signerName: string }
  | {
      readonly kind: 'cert-manager';
      readonly issuerKind: string;
      readonly issuerName: string;
      readonly namespace: string;
    }
);

export interface CitadelArguments {
  readonly trustDomain: string;
  readonly aliases: readonly string[];
  readonly stateDir: string;
  /** A folder with Istio's `cacerts` files; undefined = a root of citadel's own, in the state directory. */
  readonly cacertsDir: string | undefined;
  /** The certificate API, `host:port`. */
  readonly listen: string;
  /** Health, metrics, the trust bundle, and what operators do. */
  readonly admin: Address;
  /** Seconds. */
  readonly lifetimes: { readonly fallback: number; readonly maximum: number };
  /** Seconds that a new root is given to spread, at least. */
  readonly rotationWait: number;
  readonly limits: { readonly perIdentity: RateLimit; readonly perAddress: RateLimit };
  readonly dnsNames: readonly string[];
  readonly oidc: readonly OidcArguments[];
  readonly kube: KubeArguments | undefined;
  readonly tokenReview: TokenReviewArguments | undefined;
  /** `NAMESPACE/ACCOUNT` of agents that may ask for the pods of their node. */
  readonly impersonators: readonly string[];
  readonly signer: SignerArguments | undefined;
  readonly federated: readonly FederatedDomain[];
  readonly federationWebRoots: string | undefined;
  readonly bundleEndpoint: Address | undefined;
}

export const usage = `usage: citadel --state DIR [flags]
  --state DIR              what citadel keeps: its root, when none is plugged in, denials, join tokens, and the audit log;
                           several citadels on one directory are one authority
  --cacerts DIR            plug in a CA: ca-cert.pem, ca-key.pem, cert-chain.pem, root-cert.pem; read again when they change
  --signer WHO             who signs instead of a key: kubernetes:SIGNER_NAME (certificates.k8s.io/v1), or
                           cert-manager:NAMESPACE/KIND/NAME (KIND: Issuer or ClusterIssuer); with --signer-roots FILE
  --trust-domain NAME      first part of every identity (default cluster.local)
  --trust-domain-alias N   another name of it, that identities had before (may be repeated)
  --listen HOST:PORT       the certificate API and the trust bundle over SDS, over TLS (default 127.0.0.1:15012)
  --admin HOST:PORT        /ready, /healthz, /metrics, /bundle, /root-cert.pem, /denied, and for who is on this machine and
                           shows the token of DIR/admin.token: /ca (default 127.0.0.1:15016)
  --ttl SECONDS            lifetime of certificates where none is asked for (default 86400)
  --max-ttl SECONDS        longest lifetime that may be asked for (default 7776000)
  --rotation-wait SECONDS  how long a new root spreads before it signs, at least (default 600)
  --limit-per-identity N,R and --limit-per-address N,R: so many requests at once, and so many a second (default 20,5 and
                           1000,500)
  --dns-name NAME          a name that agents reach citadel by (default istiod.istio-system.svc and the like)
  --oidc-issuer URL        whose tokens prove service accounts (may be repeated), with --oidc-jwks URL|FILE|discover each
                           (default discover), and --oidc-audience NAME (default istio-ca)
  --token-review           Kubernetes' API server says whose a token is, with --token-audience NAME (default istio-ca);
                           --require-audience refuses tokens that name none
  --kube-api URL           the API server (default: that of the pod), --kube-token-file FILE, --kube-ca FILE
  --impersonator NS/ACCT   an agent that may ask for the pods on its node (may be repeated; default: nobody)
  --federate TD=URL[,spiffe-id=ID]  believe another mesh: its trust domain, and its bundle endpoint, known as a web server
                           (with --federation-web-roots FILE, default: the system's) or by a SPIFFE ID
  --bundle-endpoint H:P    serve the own bundle to other meshes over HTTPS`;

const defaultNames = ['istiod.istio-system.svc', 'istio-ca.istio-system.svc', 'citadel.istio-system.svc', 'localhost'];

const text = { type: 'string' } as const;
const texts = { type: 'string', multiple: true } as const;
const flag = { type: 'boolean', default: false } as const;
const or = <const D extends string>(fallback: D) => ({ type: 'string', default: fallback }) as const;

const options = {
  state: text,
  cacerts: text,
  signer: text,
  'signer-roots': text,
  'trust-domain': or('cluster.local'),
  'trust-domain-alias': texts,
  listen: or('127.0.0.1:15012'),
  admin: or('127.0.0.1:15016'),
  ttl: or('86400'),
  'max-ttl': or('7776000'),
  'rotation-wait': or('600'),
  'limit-per-identity': or('20,5'),
  'limit-per-address': or('1000,500'),
  'dns-name': texts,
  'oidc-issuer': texts,
  'oidc-jwks': texts,
  'oidc-audience': or('istio-ca'),
  'token-review': flag,
  'token-audience': or('istio-ca'),
  'require-audience': flag,
  'kube-api': text,
  'kube-token-file': text,
  'kube-ca': text,
  impersonator: texts,
  federate: texts,
  'federation-web-roots': text,
  'bundle-endpoint': text,
} as const;

type Values = ReturnType<typeof readFlags<typeof options>>;

function seconds(name: string, value: string, least = 1): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < least)
    throw new UsageError(`--${name} '${value}' is not a number of seconds`);
  return number;
}

function limit(name: string, value: string): RateLimit {
  const [burst, perSecond, ...more] = value.split(',').map(Number);
  if (!(burst !== undefined && burst >= 1 && perSecond !== undefined && perSecond > 0) || more.length > 0)
    throw new UsageError(`--${name} '${value}' is not BURST,PER_SECOND`);
  return { burst, perSecond };
}

function trustDomain(name: string, value: string): string {
  const error = trustDomainError(value);
  if (error !== undefined) throw new UsageError(`--${name} '${value}': ${error}`);
  return value;
}

function url(name: string, value: string): URL {
  if (!URL.canParse(value)) throw new UsageError(`--${name} '${value}' is not a URL`);
  return new URL(value);
}

function keysOf(value: string): URL | undefined {
  if (value === 'discover') return undefined;
  return URL.canParse(value) ? new URL(value) : pathToFileURL(path.resolve(value));
}

function oidcOf(values: Values): readonly OidcArguments[] {
  const { 'oidc-issuer': issuers = [], 'oidc-jwks': jwks = [], 'oidc-audience': audience } = values;
  if (jwks.length > 0 && jwks.length !== issuers.length)
    throw new UsageError('--oidc-issuer and --oidc-jwks go together: one for each (discover: the issuer says it)');
  return issuers.map((issuer, index) => {
    const keys = keysOf(jwks[index] ?? 'discover');
    if (keys === undefined && !/^https?:/.test(issuer))
      throw new UsageError(`--oidc-issuer '${issuer}' is no URL that could be asked for its keys; say --oidc-jwks`);
    return { issuer, audience, keys };
  });
}

function kubeOf(values: Values): KubeArguments | undefined {
  const { 'kube-api': api, 'token-review': review, signer, impersonator } = values;
  if (api === undefined && !review && signer === undefined && !impersonator) return undefined;
  return {
    url: api === undefined ? undefined : url('kube-api', api),
    tokenFile: values['kube-token-file'],
    caFile: values['kube-ca'],
  };
}

const certManagerForm = /^cert-manager:([^/]+)\/([^/]+)\/([^/]+)$/;

function signerOf({ signer, 'signer-roots': rootsFile, cacerts }: Values): SignerArguments | undefined {
  if (signer === undefined) return undefined;
  if (cacerts !== undefined) throw new UsageError('--signer and --cacerts: it is the one or the other that signs');
  if (rootsFile === undefined)
    throw new UsageError('--signer-roots is required: which roots do its certificates have?');
  const [, signerName] = /^kubernetes:(.+)$/.exec(signer) ?? [];
  if (signerName !== undefined) return { kind: 'kubernetes', signerName, rootsFile };
  const [, namespace, issuerKind, issuerName] = certManagerForm.exec(signer) ?? [];
  if (namespace === undefined || issuerKind === undefined || issuerName === undefined)
    throw new UsageError(`--signer '${signer}' is neither kubernetes:SIGNER_NAME nor cert-manager:NAMESPACE/KIND/NAME`);
  return { kind: 'cert-manager', namespace, issuerKind, issuerName, rootsFile };
}

function federatedOf(value: string): FederatedDomain {
  const wrong = (what: string): never => {
    throw new UsageError(`--federate '${value}': ${what}`);
  };
  const [head = '', option, ...more] = value.split(',');
  const at = head.indexOf('=');
  const name = trustDomain('federate', head.slice(0, at));
  const endpoint = url('federate', head.slice(at + 1));
  if (at < 0 || endpoint.protocol !== 'https:') wrong('is TRUST_DOMAIN=https://…');
  if (option === undefined) return { trustDomain: name, url: endpoint, profile: { kind: 'https_web' } };
  const spiffeId = /^spiffe-id=(.+)$/.exec(option)?.[1] ?? wrong('has spiffe-id=ID after it, or nothing');
  if (more.length > 0 || !parseWorkloadId(spiffeId)) wrong(`'${spiffeId}' is no SPIFFE ID of an account`);
  return { trustDomain: name, url: endpoint, profile: { kind: 'https_spiffe', spiffeId } };
}

function impersonator(value: string): string {
  if (!/^[a-z0-9-]+\/[a-z0-9.-]+$/.test(value))
    throw new UsageError(`--impersonator '${value}' is not NAMESPACE/ACCOUNT`);
  return value;
}

function lifetimesOf(values: Values): CitadelArguments['lifetimes'] {
  const lifetimes = { fallback: seconds('ttl', values.ttl), maximum: seconds('max-ttl', values['max-ttl']) };
  if (lifetimes.fallback > lifetimes.maximum) throw new UsageError('--ttl is longer than --max-ttl');
  return lifetimes;
}

/** @throws UsageError */
export function parseArguments(argv: readonly string[]): CitadelArguments {
  const values = readFlags(argv, options);
  if (values.state === undefined) throw new UsageError('--state is required: it is where citadel keeps its root');
  parseAddress(values.listen);
  const { 'bundle-endpoint': endpoint, impersonator: impersonators = [] } = values;
  if (impersonators.length > 0 && !values['token-review'])
    throw new UsageError('--impersonator needs --token-review: only its tokens say on which node an agent is');
  return {
    trustDomain: trustDomain('trust-domain', values['trust-domain']),
    aliases: (values['trust-domain-alias'] ?? []).map((name) => trustDomain('trust-domain-alias', name)),
    stateDir: values.state,
    cacertsDir: values.cacerts,
    listen: values.listen,
    admin: parseAddress(values.admin),
    lifetimes: lifetimesOf(values),
    rotationWait: seconds('rotation-wait', values['rotation-wait'], 0),
    limits: {
      perIdentity: limit('limit-per-identity', values['limit-per-identity']),
      perAddress: limit('limit-per-address', values['limit-per-address']),
    },
    dnsNames: values['dns-name'] ?? defaultNames,
    oidc: oidcOf(values),
    kube: kubeOf(values),
    tokenReview: values['token-review']
      ? { audience: values['token-audience'], acceptLegacy: !values['require-audience'] }
      : undefined,
    impersonators: impersonators.map(impersonator),
    signer: signerOf(values),
    federated: (values.federate ?? []).map(federatedOf),
    federationWebRoots: values['federation-web-roots'],
    bundleEndpoint: endpoint === undefined ? undefined : parseAddress(endpoint),
  };
}
