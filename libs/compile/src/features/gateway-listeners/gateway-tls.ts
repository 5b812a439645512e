import { create } from '@bufbuild/protobuf';
import { durationOf, toAny } from '@seine/envoy';
import { type TransportSocket, TransportSocketSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import {
  CertificateValidationContext_TrustChainVerification as TrustChain,
  type CertificateValidationContextSchema,
  SubjectAltNameMatcher_SanType as SanType,
  TlsParameters_TlsProtocol as TlsProtocol,
} from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import {
  type CommonTlsContextSchema,
  DownstreamTlsContextSchema,
} from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import { isCipherSuite, type Server } from '@seine/istio';
import { isIpAddress } from '@seine/model';
import type { Fragment } from '../../frame/clusters-fragment.js';
import { emitTlsDefaults, type TlsDefaults } from '../client-tls/tls-defaults.js';
import { agentSecret, meshAuthorityName, pilotSecret, workloadSecretName } from '../secrets/sds-config.js';
import { serverFileSecrets, type ServerSecrets, serverSecrets } from '../secrets/secret-names.js';

type ServerTls = NonNullable<Server['tls']>;
type Common = Fragment<typeof CommonTlsContextSchema>;
type Validation = Fragment<typeof CertificateValidationContextSchema>;

/** A client that connects and then says nothing must not hold the connection for ever (Istio: 15 s). */
export const tlsConnectTimeout = durationOf(15_000);

/** What the TLS side of a server depends on besides its settings. */
export interface ServerTlsContext {
  /** What to offer by ALPN; empty = nothing. */
  readonly alpn: readonly string[];
  /** Whether an agent beside the proxy serves the workload's certificate; without one ISTIO_MUTUAL has none to show. */
  readonly workloadCertificates?: boolean | undefined;
  readonly defaults?: TlsDefaults;
  /** Whether the proxy has files handed on as secrets (see `serverFileSecrets`); else they stand in the listener itself. */
  readonly filesAsSecrets?: boolean | undefined;
}

/**
 * The TLS side of a server that ends TLS: certificates from Secrets (`credentialName`) by SDS from pilot, from files, or
 * the workload's own by SDS from the agent (`ISTIO_MUTUAL`). Undefined where the mode needs a certificate, key or CA
 * that is not named, or an agent that is not there.
 */
export function emitServerTls(tls: ServerTls, context: ServerTlsContext): TransportSocket | undefined {
  const source = certificateSource(tls, context);
  if (!source) return undefined;
  const value = toAny(DownstreamTlsContextSchema, {
    requireClientCertificate: tls.mode === 'MUTUAL' || tls.mode === 'ISTIO_MUTUAL',
    commonTlsContext: { alpnProtocols: [...context.alpn], tlsParams: parameters(tls, context.defaults), ...source },
  });
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.tls',
    configType: { case: 'typedConfig', value },
  });
}

function verifiesClients({ mode }: ServerTls): boolean {
  return mode === 'MUTUAL' || mode === 'OPTIONAL_MUTUAL' || mode === 'ISTIO_MUTUAL';
}

function certificateSource(tls: ServerTls, context: ServerTlsContext): Common | undefined {
  if (tls.mode === 'ISTIO_MUTUAL') return context.workloadCertificates ? fromAgent(tls) : undefined;
  const secrets = serverSecrets(tls) ?? (context.filesAsSecrets ? serverFileSecrets(tls) : undefined);
  return secrets ? fromPilot(tls, secrets) : fromFiles(tls);
}

function fromAgent(tls: ServerTls): Common {
  return {
    tlsCertificateSdsSecretConfigs: [agentSecret(workloadSecretName)],
    validationContextType: {
      case: 'combinedValidationContext',
      value: {
        defaultValidationContext: verification(tls),
        validationContextSdsSecretConfig: agentSecret(meshAuthorityName),
      },
    },
  };
}

function fromPilot(tls: ServerTls, secrets: ServerSecrets): Common {
  return {
    tlsCertificateSdsSecretConfigs: secrets.certificates.map(pilotSecret),
    ...(secrets.authority !== undefined && {
      validationContextType: {
        case: 'combinedValidationContext',
        value: {
          defaultValidationContext: verification(tls),
          validationContextSdsSecretConfig: pilotSecret(secrets.authority),
        },
      },
    }),
  };
}

function fromFiles(tls: ServerTls): Common | undefined {
  const pairs = tls.tlsCertificates?.length ? tls.tlsCertificates : [tls];
  const ca = tls.caCertificates ?? tls.tlsCertificates?.find((pair) => pair.caCertificates)?.caCertificates;
  if (verifiesClients(tls) && !ca) return undefined;
  const tlsCertificates = pairs.flatMap(({ serverCertificate, privateKey }) =>
    serverCertificate && privateKey
      ? [{ certificateChain: file(serverCertificate), privateKey: file(privateKey) }]
      : [],
  );
  if (tlsCertificates.length === 0) return undefined;
  return {
    tlsCertificates,
    ...(verifiesClients(tls) && {
      validationContextType: {
        case: 'validationContext',
        value: { trustedCa: file(ca ?? ''), ...verification(tls) },
      },
    }),
  };
}

/** What a client's certificate has to be beyond coming from the CA. */
function verification(tls: ServerTls): Validation {
  return {
    ...(tls.caCrl && { crl: file(tls.caCrl) }),
    ...(tls.insecureSkipVerify && { trustChainVerification: TrustChain.ACCEPT_UNTRUSTED }),
    verifyCertificateSpki: [...(tls.verifyCertificateSpki ?? [])],
    verifyCertificateHash: [...(tls.verifyCertificateHash ?? [])],
    matchTypedSubjectAltNames: (tls.subjectAltNames ?? []).flatMap(subjectAltName),
  };
}

function file(filename: string) {
  return { specifier: { case: 'filename' as const, value: filename } };
}

/** Envoy compares by kind of name; the user does not say which kind it is. */
function subjectAltName(name: string) {
  const types = [SanType.URI, SanType.DNS];
  if (name.includes('@')) types.push(SanType.EMAIL);
  if (isIpAddress(name)) types.push(SanType.IP_ADDRESS);
  return types.map((sanType) => ({
    sanType,
    matcher: { matchPattern: { case: 'exact' as const, value: name } },
  }));
}

/** Suites that Envoy does not know are left out, as in Istio: it would refuse the whole listener. */
function parameters(tls: ServerTls, defaults: TlsDefaults): Common['tlsParams'] {
  if (tls.mode === 'ISTIO_MUTUAL') return { tlsMinimumProtocolVersion: TlsProtocol.TLSv1_2 };
  const cipherSuites = [...new Set((tls.cipherSuites ?? []).filter(isCipherSuite))];
  return {
    ...emitTlsDefaults(defaults),
    tlsMinimumProtocolVersion: protocolVersion(tls.minProtocolVersion, TlsProtocol.TLSv1_2),
    tlsMaximumProtocolVersion: protocolVersion(tls.maxProtocolVersion, TlsProtocol.TLS_AUTO),
    ...(cipherSuites.length > 0 && { cipherSuites }),
  };
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
