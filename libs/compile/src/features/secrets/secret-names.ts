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
/** Files of the proxy's disk. */
const fileCertificate = 'file-cert:';
const fileAuthority = 'file-root:';
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

function terminates({ mode }: ServerTLSSettings): boolean {
  return mode === 'SIMPLE' || mode === 'MUTUAL' || mode === 'OPTIONAL_MUTUAL';
}

/** Undefined: the server's certificates do not come from Secrets. */
export function serverSecrets(tls: ServerTLSSettings | undefined): ServerSecrets | undefined {
  if (!tls || !terminates(tls)) return undefined;
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

/** Separates the two files of a certificate in a name (Istio's). */
const fileSeparator = '~';

/**
 * The files of a server as secrets, which the proxy reads itself: so that it sees when they are replaced, and that a file
 * which is not there takes nothing from other servers. Undefined where a file that the mode needs is not named.
 */
export function serverFileSecrets(tls: ServerTLSSettings): ServerSecrets | undefined {
  const pairs = tls.tlsCertificates?.length ? tls.tlsCertificates : [tls];
  const ca = tls.caCertificates || pairs.find((pair) => pair.caCertificates)?.caCertificates;
  const certificates = pairs.flatMap(({ serverCertificate: certificate, privateKey: key }) =>
    certificate && key ? [{ certificate, key }] : [],
  );
  const verifies = tls.mode !== 'SIMPLE';
  if (!terminates(tls) || certificates.length === 0 || (verifies && !ca)) return undefined;
  // Such paths make no name that can be read back.
  if (certificates.some(({ certificate, key }) => `${certificate}${key}`.includes(fileSeparator))) return undefined;
  return {
    certificates: certificates.map(({ certificate, key }) => `${fileCertificate}${certificate}${fileSeparator}${key}`),
    authority: verifies ? `${fileAuthority}${ca ?? ''}` : undefined,
  };
}

/** The files that a name of SDS stands for; undefined for names of other things. */
export function parseFileSecret(name: string): FileSecret | undefined {
  if (name.startsWith(fileAuthority)) return { authority: name.slice(fileAuthority.length) };
  if (!name.startsWith(fileCertificate)) return undefined;
  const [certificate = '', key = '', ...rest] = name.slice(fileCertificate.length).split(fileSeparator);
  return rest.length === 0 && certificate && key ? { certificate, key } : undefined;
}

/** Files of the proxy's disk. */
export type FileSecret = { readonly certificate: string; readonly key: string } | { readonly authority: string };

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
  return namesOf(serverSecrets(tls) ?? (tls && serverFileSecrets(tls)));
}

/** All names of SDS for a traffic policy, its port levels included. */
export function policySecretNames(policy: TrafficPolicy | undefined): readonly string[] {
  const levels = [policy?.tls, ...(policy?.portLevelSettings ?? []).map((level) => level.tls)];
  return levels.flatMap((tls) => namesOf(clientSecrets(tls)));
}
