import { type gatewayApi, isCipherSuite, type ServerTLSSettings } from '@seine/istio';
import { authorityProblem, keyPairProblem, referenceText } from './certificates.js';
import { joinProblems, type Problem } from './condition.js';
import type { Context } from './context.js';
import type { Gateway, ListenerSet } from './input.js';
import { configMapKind, kindOf, secretKind } from './references.js';

const terminateMode = 'gateway.istio.io/tls-terminate-mode';
const cipherSuitesOption = 'gateway.istio.io/tls-cipher-suites';
const listenerProtocol = 'gateway.istio.io/listener-protocol';

/** A listener whose TLS is to be made, with the object that it stands in. */
export interface TlsListener {
  /** `group/Kind` of the owner, as grants name it. */
  readonly ownerKind: string;
  readonly owner: Gateway | ListenerSet;
  readonly tls: gatewayApi.ListenerTls | undefined;
  readonly port: number;
  /** The Gateway's settings for clients' certificates. */
  readonly frontend: gatewayApi.FrontendValidation | undefined;
}

interface BuiltTls {
  readonly tls: ServerTLSSettings | undefined;
  readonly problem?: Problem | undefined;
}

/** The TLS settings of a server. With a problem they are what could be made of it all the same. */
export function serverTls(listener: TlsListener, context: Context): BuiltTls {
  const { tls } = listener;
  if (!tls) return { tls: undefined };
  const built =
    tls.mode === 'Passthrough' ? { tls: { mode: passthroughMode(listener) } } : terminated(listener, context);
  const suites = cipherSuites(tls.options?.[cipherSuitesOption]);
  return suites.length === 0 ? built : { ...built, tls: { ...built.tls, cipherSuites: suites } };
}

function cipherSuites(option: string | undefined): readonly string[] {
  const names = (option ?? '').split(',').map((name) => name.trim());
  return [...new Set(names.filter((name) => name !== '' && isCipherSuite(name)))];
}

/** Traffic between networks: SNI names the cluster. It is the port, or an option of the listener, that says so. */
function passthroughMode({ owner, tls, port }: TlsListener): 'PASSTHROUGH' | 'AUTO_PASSTHROUGH' {
  if (tls?.options?.[listenerProtocol] === 'auto-passthrough') return 'AUTO_PASSTHROUGH';
  const { labels = {} } = owner.metadata;
  if (labels['topology.istio.io/network'] === undefined) return 'PASSTHROUGH';
  const expected = labels['networking.istio.io/gatewayPort'] ?? '15443';
  return String(port) === expected ? 'AUTO_PASSTHROUGH' : 'PASSTHROUGH';
}

function terminated(listener: TlsListener, context: Context): BuiltTls {
  const option = listener.tls?.options?.[terminateMode];
  if (option === 'ISTIO_SIMPLE') return { tls: { mode: 'SIMPLE', credentialName: 'builtin://' } };
  if (option === 'ISTIO_MUTUAL') return { tls: { mode: 'ISTIO_MUTUAL' } };
  const mode = option === 'MUTUAL' || option === 'OPTIONAL_MUTUAL' ? option : 'SIMPLE';
  const refs = listener.tls?.certificateRefs ?? [];
  if (refs.length > 2)
    return {
      tls: { mode },
      problem: { reason: 'InvalidCertificateRef', message: 'TLS mode can only support up to 2 server certificates' },
    };
  const names: string[] = [];
  let problem: Problem | undefined;
  for (const ref of refs) {
    const found = certificateOf(ref, listener, context);
    if ('problem' in found) problem = joinProblems(problem, found.problem);
    else names.push(found.name);
  }
  if (names.length === 0) return { tls: { mode }, problem };
  const [first = ''] = names;
  const credentials = names.length === 1 ? { credentialName: first } : { credentialNames: names };
  return withClientCertificates({ mode, ...credentials }, option, listener, context);
}

type Found = { readonly name: string } | { readonly problem: Problem };

/** Grants go first, so that a status never tells whether something exists that may not be named. */
function certificateOf(ref: gatewayApi.ObjectReference, listener: TlsListener, { inputs, grants }: Context): Found {
  const own = listener.owner.metadata.namespace;
  const namespace = ref.namespace ?? own;
  const from = { kind: listener.ownerKind, namespace: own };
  if (!grants.allows(from, { kind: secretKind, namespace, name: ref.name }))
    return {
      problem: {
        reason: 'RefNotPermitted',
        message: `certificateRef ${ref.name}/${namespace} not accessible to a Gateway in namespace "${own}" (missing a ReferenceGrant?)`,
      },
    };
  const wrong = (why: string): Found => ({
    problem: {
      reason: 'InvalidCertificateRef',
      message: `invalid certificate reference ${referenceText(ref)}, ${why}`,
    },
  });
  if (kindOf(ref, secretKind) !== secretKind) return wrong('only secret is allowed');
  const secret = inputs.find(secretKind, namespace, ref.name);
  if (!secret) return wrong(`secret ${namespace}/${ref.name} not found`);
  const problem = keyPairProblem(secret);
  return problem === undefined ? { name: `kubernetes-gateway://${namespace}/${ref.name}` } : wrong(problem);
}

/** Clients must, or may, show a certificate where the Gateway says what it is verified with. */
function withClientCertificates(
  tls: ServerTLSSettings,
  option: string | undefined,
  listener: TlsListener,
  context: Context,
): BuiltTls {
  const { frontend } = listener;
  const [ref, ...others] = frontend?.caCertificateRefs ?? [];
  if (!ref) return { tls };
  if (others.length > 0)
    return { tls, problem: { reason: 'InvalidCACertificateRef', message: 'only one caCertificateRef is supported' } };
  const found = authorityOf(ref, listener, context);
  if ('problem' in found) return { tls, problem: found.problem };
  const insecure = frontend?.mode === 'AllowInsecureFallback';
  const chosen = option === 'MUTUAL' || option === 'OPTIONAL_MUTUAL' ? option : undefined;
  return {
    tls: {
      ...tls,
      mode: chosen ?? (insecure ? 'OPTIONAL_MUTUAL' : 'MUTUAL'),
      caCertCredentialName: found.name,
      ...(insecure && chosen === undefined && { insecureSkipVerify: true }),
    },
  };
}

function authorityOf(ref: gatewayApi.ObjectReference, listener: TlsListener, { inputs, grants }: Context): Found {
  const own = listener.owner.metadata.namespace;
  const namespace = ref.namespace ?? own;
  const kind = kindOf(ref) === secretKind ? secretKind : configMapKind;
  if (!grants.allows({ kind: listener.ownerKind, namespace: own }, { kind, namespace, name: ref.name }))
    return {
      problem: {
        reason: 'RefNotPermitted',
        message: `caCertificateRef ${namespace}/${ref.name} not accessible to a Gateway in namespace "${own}" (missing a ReferenceGrant?)`,
      },
    };
  const wrong = (why: string, reason = 'InvalidCACertificateRef'): Found => ({
    problem: { reason, message: `invalid CA certificate reference ${referenceText(ref)}, ${why}` },
  });
  if (kindOf(ref) !== kind) return wrong('only secret and configmap are allowed', 'InvalidCACertificateKind');
  const object = inputs.find(kind, namespace, ref.name);
  const word = kind === secretKind ? 'secret' : 'configmap';
  if (!object) return wrong(`${word} ${namespace}/${ref.name} not found`);
  const problem = authorityProblem(object);
  if (problem !== undefined) return wrong(problem);
  const scheme = kind === secretKind ? 'kubernetes-gateway' : 'configmap';
  return { name: `${scheme}://${namespace}/${ref.name}-cacert` };
}
