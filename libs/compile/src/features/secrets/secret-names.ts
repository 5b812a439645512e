import type { ClientTLSSettings, ServerTLSSettings, TrafficPolicy } from '@seine/istio';
import { configMapSecretName } from '@seine/model';

/**
 * Names of secrets as proxies ask for them by SDS (Istio's): `kubernetes://NAME` is a Secret of the proxy's own
 * namespace, `kubernetes-gateway://NAMESPACE/NAME` one that a Gateway names with its namespace. `-cacert` at the end
 * asks for the CA certificate instead of the proxy's own.
 */
const kubernetes = 'kubernetes://';
const kubernetesGateway = 'kubernetes-gateway://';
/** Certificates to trust that a ConfigMap holds. */
const configMap = 'configmap://';
/** Stands for a reference that leads nowhere: never answered, so that nothing goes out unverified. */
const nowhere = 'invalid://';
/** The certificate that the workload has from the mesh: no Secret. */
const builtin = 'builtin://';
const caSuffix = '-cacert';

/** What a proxy asks for by the name of a secret. */
export interface SecretReference {
  /** As the proxy knows it. */
  readonly name: string;
  readonly namespace: string;
  /** Name of the Secret; of a CA certificate the Secret that is looked up first. */
  readonly secret: string;
  readonly part: 'certificate' | 'authority';
  /** Whether only a grant opens it: it is named with a namespace by a Gateway (`kubernetes-gateway://`). */
  readonly needsGrant: boolean;
}

/** A `credentialName` as a name of SDS. */
export function sdsName(credentialName: string): string {
  return credentialName.includes('://') ? credentialName : kubernetes + credentialName;
}

/** The name of the CA certificate that belongs to a credential, unless that is named itself. */
export function authorityName(credentialName: string): string {
  return sdsName(credentialName) + (credentialName.endsWith(caSuffix) ? '' : caSuffix);
}

/** Whether a credential is the workload's own certificate. */
export function isBuiltin(credentialName: string): boolean {
  return credentialName.startsWith(builtin);
}

/** Whether every proxy may have what a name stands for: there is no private key in it. */
export function isPublic(name: string): boolean {
  return name.startsWith(configMap) || name.startsWith(nowhere);
}

function parseConfigMapName(name: string): SecretReference | undefined {
  const [namespace = '', written = '', ...rest] = name.slice(configMap.length).split('/');
  const own = written.endsWith(caSuffix) ? written.slice(0, -caSuffix.length) : written;
  if (rest.length > 0 || namespace === '' || own === '') return undefined;
  return { name, namespace, secret: configMapSecretName(own), part: 'authority', needsGrant: false };
}

/**
 * Reads a name of SDS; undefined for what names no Secret.
 * @param proxyNamespace where a name without a namespace is looked up
 */
export function parseSecretName(name: string, proxyNamespace: string): SecretReference | undefined {
  if (name.startsWith(configMap)) return parseConfigMapName(name);
  const needsGrant = name.startsWith(kubernetesGateway);
  const scheme = needsGrant ? kubernetesGateway : kubernetes;
  if (!name.startsWith(scheme)) return undefined;
  const [first = '', second, ...rest] = name.slice(scheme.length).split('/');
  const [namespace, secret] = second === undefined ? [needsGrant ? '' : proxyNamespace, first] : [first, second];
  if (rest.length > 0 || namespace === '' || secret === '') return undefined;
  return { name, namespace, secret, part: secret.endsWith(caSuffix) ? 'authority' : 'certificate', needsGrant };
}

/** Names of the Secret to look up for a reference, the first that is there counts. */
export function secretCandidates({ secret, part }: SecretReference): readonly string[] {
  return part === 'authority' && secret.endsWith(caSuffix) ? [secret, secret.slice(0, -caSuffix.length)] : [secret];
}

/** The secrets that a server of a gateway takes from SDS, by what they are for. */
export interface ServerSecrets {
  readonly certificates: readonly string[];
  /** What client certificates are verified with, where they are asked for. */
  readonly authority: string | undefined;
}

/** Undefined: the server's certificates do not come from Secrets. */
export function serverSecrets(tls: ServerTLSSettings | undefined): ServerSecrets | undefined {
  if (!tls || !['SIMPLE', 'MUTUAL', 'OPTIONAL_MUTUAL'].includes(tls.mode ?? '')) return undefined;
  const credentials = tls.credentialNames?.length
    ? tls.credentialNames
    : tls.credentialName
      ? [tls.credentialName]
      : [];
  const [first] = credentials;
  if (first === undefined) return undefined;
  const verifies = tls.mode !== 'SIMPLE';
  return {
    certificates: credentials.map(sdsName),
    authority: verifies ? authorityName(tls.caCertCredentialName || first) : undefined,
  };
}

/** The secrets that a client's TLS takes from SDS; undefined: none. */
export function clientSecrets(tls: ClientTLSSettings | undefined): ServerSecrets | undefined {
  if (!tls?.credentialName || (tls.mode !== 'SIMPLE' && tls.mode !== 'MUTUAL')) return undefined;
  return {
    certificates: tls.mode === 'MUTUAL' ? [sdsName(tls.credentialName)] : [],
    authority: tls.insecureSkipVerify ? undefined : authorityName(tls.credentialName),
  };
}

function namesOf(secrets: ServerSecrets | undefined): readonly string[] {
  if (!secrets) return [];
  return secrets.authority === undefined ? secrets.certificates : [...secrets.certificates, secrets.authority];
}

/** All names of SDS for a server of a gateway. */
export function serverSecretNames(tls: ServerTLSSettings | undefined): readonly string[] {
  return namesOf(serverSecrets(tls));
}

/** All names of SDS for a traffic policy, its port levels included. */
export function policySecretNames(policy: TrafficPolicy | undefined): readonly string[] {
  const levels = [policy?.tls, ...(policy?.portLevelSettings ?? []).map((level) => level.tls)];
  return levels.flatMap((tls) => namesOf(clientSecrets(tls)));
}
