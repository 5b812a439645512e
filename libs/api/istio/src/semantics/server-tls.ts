import type { ServerTLSSettings } from '../networking/gateway.js';
import type { Scope } from '../validation/scope.js';
import { isCipherSuite } from './cipher-suites.js';
import { each } from './each.js';

const ownCertificates = [
  'serverCertificate',
  'privateKey',
  'caCertificates',
  'credentialName',
  'credentialNames',
] as const;
const terminating: ReadonlySet<string | undefined> = new Set(['SIMPLE', 'MUTUAL', 'OPTIONAL_MUTUAL']);

function isSet(value: string | readonly unknown[] | undefined): boolean {
  return value !== undefined && value.length > 0;
}

function checkMeshIdentity(tls: ServerTLSSettings, scope: Scope): void {
  for (const field of ownCertificates)
    if (isSet(tls[field]))
      scope.at(field).error('cannot be set with ISTIO_MUTUAL, which uses the identity of the mesh');
}

/** Passed-through connections stay encrypted: certificates at the gateway would never be used. */
function checkPassthrough(tls: ServerTLSSettings, scope: Scope): void {
  for (const field of [...ownCertificates, 'subjectAltNames'] as const)
    if (isSet(tls[field])) scope.at(field).warning(`has no effect with ${tls.mode ?? 'PASSTHROUGH'}`);
}

function checkPair(
  pair: { readonly serverCertificate?: string | undefined; readonly privateKey?: string | undefined },
  scope: Scope,
): void {
  if (!pair.serverCertificate) scope.at('serverCertificate').error('a server certificate is required');
  if (!pair.privateKey) scope.at('privateKey').error('a private key is required');
}

function checkTerminating(tls: ServerTLSSettings, scope: Scope): void {
  const { mode, credentialName, credentialNames, tlsCertificates, caCertificates, caCertCredentialName } = tls;
  if (isSet(credentialName) || isSet(credentialNames)) return;
  if (tlsCertificates) each(tlsCertificates, scope.at('tlsCertificates'), checkPair);
  else checkPair(tls, scope);
  const ca = [caCertificates, caCertCredentialName, ...(tlsCertificates ?? []).map((pair) => pair.caCertificates)];
  if (mode === 'MUTUAL' && !ca.some(isSet))
    scope.at('caCertificates').error('mutual TLS requires a CA that client certificates are verified with');
}

/** The forms that Envoy takes: SHA-256 in base64, and in hex with or without colons. */
const spkiForm = /^[A-Za-z0-9+/]{43}=$/;
const hashForm = /^([0-9a-fA-F]{64}|([0-9a-fA-F]{2}:){31}[0-9a-fA-F]{2})$/;

/** A pin that is no hash would have the whole listener refused. */
function checkPins(tls: ServerTLSSettings, scope: Scope): void {
  each(tls.verifyCertificateSpki, scope.at('verifyCertificateSpki'), (pin, at) => {
    if (!spkiForm.test(pin)) at.error(`${JSON.stringify(pin)} must be a SHA-256 in base64: 44 characters`);
  });
  each(tls.verifyCertificateHash, scope.at('verifyCertificateHash'), (pin, at) => {
    if (!hashForm.test(pin)) at.error(`${JSON.stringify(pin)} must be a SHA-256 in hex: 64 digits, colons allowed`);
  });
}

const versions = ['TLS_AUTO', 'TLSV1_0', 'TLSV1_1', 'TLSV1_2', 'TLSV1_3'];

export function checkServerTls(tls: ServerTLSSettings | undefined, scope: Scope): void {
  if (!tls) return;
  const { mode, minProtocolVersion = 'TLS_AUTO', maxProtocolVersion = 'TLS_AUTO' } = tls;
  if (mode === 'ISTIO_MUTUAL') checkMeshIdentity(tls, scope);
  else if (terminating.has(mode)) checkTerminating(tls, scope);
  else if (!tls.httpsRedirect) checkPassthrough(tls, scope);
  if (maxProtocolVersion !== 'TLS_AUTO' && versions.indexOf(minProtocolVersion) > versions.indexOf(maxProtocolVersion))
    scope.error('minProtocolVersion must not be above maxProtocolVersion');
  checkPins(tls, scope);
  const seen = new Set<string>();
  each(tls.cipherSuites, scope.at('cipherSuites'), (suite, at) => {
    if (seen.has(suite)) at.warning(`${suite} stands here twice`);
    if (!isCipherSuite(suite))
      at.warning(`${JSON.stringify(suite)} is no cipher suite that Envoy knows; it is left out`);
    seen.add(suite);
  });
}
