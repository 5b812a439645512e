import type { ServerTLSSettings } from '../networking/gateway.js';
import type { Scope } from '../validation/scope.js';
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

const versions = ['TLS_AUTO', 'TLSV1_0', 'TLSV1_1', 'TLSV1_2', 'TLSV1_3'];

export function checkServerTls(tls: ServerTLSSettings | undefined, scope: Scope): void {
  if (!tls) return;
  const { mode, minProtocolVersion = 'TLS_AUTO', maxProtocolVersion = 'TLS_AUTO' } = tls;
  if (mode === 'ISTIO_MUTUAL') checkMeshIdentity(tls, scope);
  else if (terminating.has(mode)) checkTerminating(tls, scope);
  else if (!tls.httpsRedirect) checkPassthrough(tls, scope);
  if (maxProtocolVersion !== 'TLS_AUTO' && versions.indexOf(minProtocolVersion) > versions.indexOf(maxProtocolVersion))
    scope.error('minProtocolVersion must not be above maxProtocolVersion');
  const seen = new Set<string>();
  each(tls.cipherSuites, scope.at('cipherSuites'), (suite, at) => {
    if (seen.has(suite)) at.warning(`${suite} stands here twice`);
    seen.add(suite);
  });
}
