import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import type { UpstreamHttpProtocolOptionsSchema } from '@seine/envoy/envoy/config/core/v3/protocol_pb.js';
import { type TransportSocket, TransportSocketSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { ProxyProtocolConfig_Version } from '@seine/envoy/envoy/config/core/v3/proxy_protocol_pb.js';
import { ProxyProtocolUpstreamTransportSchema } from '@seine/envoy/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js';
import { RawBufferSchema } from '@seine/envoy/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js';
import {
  type CertificateValidationContextSchema,
  SubjectAltNameMatcher_SanType,
  TlsParameters_TlsProtocol,
} from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import {
  type CommonTlsContextSchema,
  UpstreamTlsContextSchema,
} from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import type { ClientTLSSettings, TrafficPolicy } from '@seine/istio';
import type { Fragment } from '../../frame/clusters-fragment.js';

/** Where Envoy images keep the system's trusted CAs: what a server is verified against when no CA is named. */
export const systemCaFile = '/etc/ssl/certs/ca-certificates.crt';

/** What a transport socket depends on besides the policy. */
export interface TransportContext {
  /** Whether the cluster speaks HTTP/2: then ALPN offers it. */
  readonly http2: boolean;
  /** Names the service itself says its certificate may carry; used where the policy names none. */
  readonly subjectAltNames: readonly string[];
}

/** Modes that open TLS from files; ISTIO_MUTUAL takes the workload's own certificate and is not a matter of files. */
function originates(tls: ClientTLSSettings | undefined): tls is ClientTLSSettings {
  return tls?.mode === 'SIMPLE' || tls?.mode === 'MUTUAL';
}

/** The transport socket of a cluster: TLS, the PROXY protocol around it, or undefined for plain TCP. */
export function emitTransportSocket(policy: TrafficPolicy, context: TransportContext): TransportSocket | undefined {
  const inner = originates(policy.tls) ? emitTls(policy.tls, context) : undefined;
  return policy.proxyProtocol ? wrapInProxyProtocol(policy.proxyProtocol.version, inner) : inner;
}

function wrapInProxyProtocol(version: string | undefined, inner: TransportSocket | undefined): TransportSocket {
  const plain = create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.raw_buffer',
    configType: { case: 'typedConfig', value: toAny(RawBufferSchema, {}) },
  });
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.upstream_proxy_protocol',
    configType: {
      case: 'typedConfig',
      value: toAny(ProxyProtocolUpstreamTransportSchema, {
        config: { version: version === 'V2' ? ProxyProtocolConfig_Version.V2 : ProxyProtocolConfig_Version.V1 },
        transportSocket: inner ?? plain,
      }),
    },
  });
}

function emitTls(tls: ClientTLSSettings, context: TransportContext): TransportSocket {
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.tls',
    configType: {
      case: 'typedConfig',
      value: toAny(UpstreamTlsContextSchema, { sni: tls.sni ?? '', commonTlsContext: commonTlsContext(tls, context) }),
    },
  });
}

function commonTlsContext(tls: ClientTLSSettings, context: TransportContext): Fragment<typeof CommonTlsContextSchema> {
  const mutual = tls.mode === 'MUTUAL' && tls.clientCertificate && tls.privateKey;
  return {
    tlsParams: {
      tlsMinimumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_2,
      tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
    },
    ...(context.http2 && { alpnProtocols: ['h2'] }),
    ...(mutual && {
      tlsCertificates: [{ certificateChain: file(tls.clientCertificate), privateKey: file(tls.privateKey) }],
    }),
    ...(!tls.insecureSkipVerify && {
      validationContextType: { case: 'validationContext', value: validationContext(tls, context.subjectAltNames) },
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
    matchTypedSubjectAltNames: names.flatMap((exact) =>
      sanTypes(exact).map((sanType) => ({
        sanType,
        matcher: { matchPattern: { case: 'exact', value: exact } as const },
      })),
    ),
  };
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
