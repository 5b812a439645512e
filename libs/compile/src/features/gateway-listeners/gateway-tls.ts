import { create } from '@bufbuild/protobuf';
import { durationOf, toAny } from '@seine/envoy';
import { type TransportSocket, TransportSocketSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import {
  SubjectAltNameMatcher_SanType as SanType,
  TlsParameters_TlsProtocol as TlsProtocol,
} from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import type { Server } from '@seine/istio';
import { DownstreamTlsContextSchema } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';

type ServerTls = NonNullable<Server['tls']>;

/** A client that connects and then says nothing must not hold the connection for ever (Istio: 15 s). */
export const tlsConnectTimeout = durationOf(15_000);

/**
 * The TLS side of a server with certificates in files. Undefined for servers whose certificates come by SDS
 * (credentialName, ISTIO_MUTUAL), and where a file that the mode needs is not named.
 * @param alpn what to offer by ALPN; empty = nothing
 */
export function emitServerTls(tls: ServerTls, alpn: readonly string[]): TransportSocket | undefined {
  const { serverCertificate, privateKey, caCertificates, mode } = tls;
  const verifies = mode === 'MUTUAL' || mode === 'OPTIONAL_MUTUAL';
  if (mode === 'ISTIO_MUTUAL' || tls.credentialName || tls.credentialNames?.length) return undefined;
  if (!serverCertificate || !privateKey || (verifies && !caCertificates)) return undefined;
  const context = toAny(DownstreamTlsContextSchema, {
    requireClientCertificate: mode === 'MUTUAL',
    commonTlsContext: {
      alpnProtocols: [...alpn],
      tlsParams: {
        tlsMinimumProtocolVersion: protocolVersion(tls.minProtocolVersion, TlsProtocol.TLSv1_2),
        tlsMaximumProtocolVersion: protocolVersion(tls.maxProtocolVersion, TlsProtocol.TLS_AUTO),
        cipherSuites: [...(tls.cipherSuites ?? [])],
      },
      tlsCertificates: [{ certificateChain: file(serverCertificate), privateKey: file(privateKey) }],
      ...(verifies && {
        validationContextType: {
          case: 'validationContext' as const,
          value: {
            trustedCa: file(caCertificates ?? ''),
            verifyCertificateSpki: [...(tls.verifyCertificateSpki ?? [])],
            verifyCertificateHash: [...(tls.verifyCertificateHash ?? [])],
            matchTypedSubjectAltNames: (tls.subjectAltNames ?? []).flatMap(subjectAltName),
          },
        },
      }),
    },
  });
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.tls',
    configType: { case: 'typedConfig', value: context },
  });
}

function file(filename: string) {
  return { specifier: { case: 'filename' as const, value: filename } };
}

/** Envoy compares by kind of name; the user does not say which kind it is. */
function subjectAltName(name: string) {
  return [SanType.URI, SanType.DNS].map((sanType) => ({
    sanType,
    matcher: { matchPattern: { case: 'exact' as const, value: name } },
  }));
}

function protocolVersion(name: string | undefined, fallback: TlsProtocol): TlsProtocol {
  const versions: Readonly<Record<string, TlsProtocol>> = {
    TLSV1_0: TlsProtocol.TLSv1_0,
    TLSV1_1: TlsProtocol.TLSv1_1,
    TLSV1_2: TlsProtocol.TLSv1_2,
    TLSV1_3: TlsProtocol.TLSv1_3,
  };
  return versions[name ?? ''] ?? fallback;
}
