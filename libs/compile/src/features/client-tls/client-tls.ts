import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import type { UpstreamHttpProtocolOptionsSchema } from '@seine/envoy/envoy/config/core/v3/protocol_pb.js';
import { type TransportSocket, TransportSocketSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import {
  type CertificateValidationContextSchema,
  SubjectAltNameMatcher_SanType,
  TlsParameters_TlsProtocol,
} from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import {
  type CommonTlsContextSchema,
  UpstreamTlsContextSchema,
} from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import type { ClientTLSSettings, DestinationRule, TrafficPolicy } from '@seine/istio';
import type { Proxy } from '@seine/model';
import type { Fragment } from '../../frame/clusters-fragment.js';
import { wrapInProxyProtocol } from '../proxy-protocol/proxy-protocol.js';
import { agentSecret, meshAuthorityName, pilotSecret, workloadSecretName } from '../secrets/sds-config.js';
import { emitTlsDefaults, type TlsDefaults } from './tls-defaults.js';
import { clientSecrets, isPublic } from '../secrets/secret-names.js';

/** Where Envoy images keep the system's trusted CAs: what a server is verified against when no CA is named. */
export const systemCaFile = '/etc/ssl/certs/ca-certificates.crt';

/** What a transport socket depends on besides the policy. */
export interface TransportContext {
  /** Whether the cluster speaks HTTP/2: then ALPN offers it. */
  readonly http2: boolean;
  /** Names the service itself says its certificate may carry; used where the policy names none. */
  readonly subjectAltNames: readonly string[];
  readonly defaults?: TlsDefaults;
  /** The workload's certificate, where an agent beside the proxy serves it; without one ISTIO_MUTUAL has none to show. */
  readonly mesh?: MeshTlsContext | undefined;
}

/** What mutual TLS between workloads of the mesh depends on. */
export interface MeshTlsContext {
  /** The cluster's name as SNI: by it a gateway between networks knows where to go. */
  readonly sni: string;
  /** SPIFFE identities of the workloads behind the service. */
  readonly serviceAccounts: readonly string[];
  /** Used where nobody asks for it (see auto-mtls); default no. */
  readonly automatic?: boolean | undefined;
  /** All that is behind the service takes it; default no. */
  readonly everyEndpoint?: boolean | undefined;
}

/** Modes in which TLS has nothing to do with the mesh's identities. */
function originates(tls: ClientTLSSettings | undefined): tls is ClientTLSSettings {
  return tls?.mode === 'SIMPLE' || tls?.mode === 'MUTUAL';
}

/**
 * The policy without TLS that the client cannot have: a sidecar may take a Secret only where the rule selects it, so
 * everywhere else a `credentialName` is for gateways, and what the application sends is left as it is (Istio:
 * ClientTLSSettings.credentialName).
 */
export function usablePolicy(
  policy: TrafficPolicy,
  rule: DestinationRule | undefined,
  proxyType: Proxy['type'],
): TrafficPolicy {
  if (!originates(policy.tls) || !policy.tls.credentialName || isPublic(policy.tls.credentialName)) return policy;
  return proxyType === 'router' || rule?.spec.workloadSelector ? policy : { ...policy, tls: undefined };
}

/** The transport socket of a cluster: TLS, the PROXY protocol around it, or undefined for plain TCP. */
export function emitTransportSocket(policy: TrafficPolicy, context: TransportContext): TransportSocket | undefined {
  const inner = emitInner(policy.tls, context);
  return policy.proxyProtocol ? wrapInProxyProtocol(policy.proxyProtocol, inner) : inner;
}

function emitInner(tls: ClientTLSSettings | undefined, context: TransportContext): TransportSocket | undefined {
  const { mesh, http2 } = context;
  if (tls?.mode === 'ISTIO_MUTUAL') return mesh && tlsSocket(tls.sni || mesh.sni, meshTlsContext(tls, http2, mesh));
  return originates(tls) ? tlsSocket(tls.sni ?? '', commonTlsContext(tls, context)) : undefined;
}

function tlsSocket(sni: string, common: Fragment<typeof CommonTlsContextSchema>): TransportSocket {
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.tls',
    configType: {
      case: 'typedConfig',
      value: toAny(UpstreamTlsContextSchema, { sni, commonTlsContext: common }),
    },
  });
}

const tlsParams = {
  tlsMinimumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_2,
  tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
};

function commonTlsContext(tls: ClientTLSSettings, context: TransportContext): Fragment<typeof CommonTlsContextSchema> {
  return {
    tlsParams: { ...tlsParams, ...emitTlsDefaults(context.defaults) },
    ...(context.http2 && { alpnProtocols: ['h2'] }),
    ...(fromSecrets(tls, context.subjectAltNames) ?? fromFiles(tls, context.subjectAltNames)),
  };
}

/** What ISTIO_MUTUAL shows and verifies comes from the agent, and ALPN tells the server's proxy that it is the mesh's. */
function meshTlsContext(
  tls: ClientTLSSettings,
  http2: boolean,
  { serviceAccounts }: MeshTlsContext,
): Fragment<typeof CommonTlsContextSchema> {
  const names = tls.subjectAltNames?.length ? tls.subjectAltNames : serviceAccounts;
  return {
    tlsParams,
    alpnProtocols: ['istio-peer-exchange', 'istio', ...(http2 ? ['h2'] : [])],
    tlsCertificateSdsSecretConfigs: [agentSecret(workloadSecretName)],
    validationContextType: {
      case: 'combinedValidationContext',
      value: {
        defaultValidationContext: { matchTypedSubjectAltNames: subjectAltNames(names) },
        validationContextSdsSecretConfig: agentSecret(meshAuthorityName),
      },
    },
  };
}

function fromSecrets(
  tls: ClientTLSSettings,
  serviceNames: readonly string[],
): Fragment<typeof CommonTlsContextSchema> | undefined {
  const secrets = clientSecrets(tls);
  if (!secrets) return undefined;
  const names = tls.subjectAltNames?.length ? tls.subjectAltNames : serviceNames;
  return {
    tlsCertificateSdsSecretConfigs: secrets.certificates.map(pilotSecret),
    ...(secrets.authority !== undefined && {
      validationContextType: {
        case: 'combinedValidationContext',
        value: {
          defaultValidationContext: { matchTypedSubjectAltNames: subjectAltNames(names) },
          validationContextSdsSecretConfig: pilotSecret(secrets.authority),
        },
      },
    }),
  };
}

function fromFiles(tls: ClientTLSSettings, serviceNames: readonly string[]): Fragment<typeof CommonTlsContextSchema> {
  const mutual = tls.mode === 'MUTUAL' && tls.clientCertificate && tls.privateKey;
  return {
    ...(mutual && {
      tlsCertificates: [{ certificateChain: file(tls.clientCertificate), privateKey: file(tls.privateKey) }],
    }),
    ...(!tls.insecureSkipVerify && {
      validationContextType: { case: 'validationContext', value: validationContext(tls, serviceNames) },
    }),
  };
}

function validationContext(
  tls: ClientTLSSettings,
  serviceNames: readonly string[],
): Fragment<typeof CertificateValidationContextSchema> {
  const names = tls.subjectAltNames?.length ? tls.subjectAltNames : serviceNames;
  return {
    trustedCa: file(tls.caCertificates || systemCaFile),
    ...(tls.caCrl && { crl: file(tls.caCrl) }),
    matchTypedSubjectAltNames: subjectAltNames(names),
  };
}

function subjectAltNames(names: readonly string[]) {
  return names.flatMap((exact) =>
    sanTypes(exact).map((sanType) => ({
      sanType,
      matcher: { matchPattern: { case: 'exact', value: exact } as const },
    })),
  );
}

/** Istio's field takes any kind of name; Envoy wants the kind stated. What cannot be an address or a URI is a DNS name. */
function sanTypes(name: string): readonly SubjectAltNameMatcher_SanType[] {
  if (name.includes('://')) return [SubjectAltNameMatcher_SanType.URI];
  if (/^[\d.]+$/.test(name) || name.includes(':')) return [SubjectAltNameMatcher_SanType.IP_ADDRESS];
  return [SubjectAltNameMatcher_SanType.DNS];
}

function file(filename: string | undefined) {
  return { specifier: { case: 'filename', value: filename ?? '' } } as const;
}

/**
 * Where a TLS policy names no SNI, HTTP requests supply it (their host), and the server's certificate must be for that
 * host unless the policy names others or skips verification.
 */
export function needsAutoSni(
  tls: ClientTLSSettings | undefined,
): Fragment<typeof UpstreamHttpProtocolOptionsSchema> | undefined {
  if (!originates(tls) || tls.sni) return undefined;
  return { autoSni: true, autoSanValidation: !tls.insecureSkipVerify && !tls.subjectAltNames?.length };
}
