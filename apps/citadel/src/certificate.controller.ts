import { Metadata, type ServerUnaryCall, status } from '@grpc/grpc-js';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod, RpcException } from '@nestjs/microservices';
import type { CertificateRequestMessage, CertificateResponseMessage } from '@seine/api';
import type { Refusal, RefusalCode } from '@seine/ca';
import { CitadelService } from './citadel.service.js';
import { retryMetadata } from './retry-info.js';

type Call = ServerUnaryCall<CertificateRequestMessage, CertificateResponseMessage>;

const codes: Readonly<Record<RefusalCode, status>> = {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  UNAVAILABLE: status.UNAVAILABLE,
};

export function bearerOf(metadata: Metadata): string | undefined {
  const [, token] = /^Bearer (.+)$/i.exec(String(metadata.get('authorization')[0] ?? '')) ?? [];
  return token;
}

/** Without the port, which is another one at each connection. */
export function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, '');
}

/** The error that a caller sees. Why it was not believed is in citadel's log: a stranger learns nothing. */
export function refusalError(outcome: { readonly refusal: Refusal } | { readonly unauthenticated: true }) {
  if ('unauthenticated' in outcome)
    return { code: status.UNAUTHENTICATED, message: 'the caller’s identity is not proved' };
  const { code, message, retryAfter } = outcome.refusal;
  const metadata = retryAfter === undefined ? undefined : retryMetadata(codes[code], message, retryAfter);
  return { code: codes[code], message, ...(metadata && { metadata }) };
}

/** Istio's certificate API over gRPC. */
@Controller()
export class CertificateController {
  constructor(@Inject(CitadelService) private readonly citadel: CitadelService) {}

  @GrpcMethod('IstioCertificateService', 'CreateCertificate')
  async createCertificate(
    request: CertificateRequestMessage,
    metadata: Metadata,
    call: Call,
  ): Promise<CertificateResponseMessage> {
    // No certificate is there where the client showed none, or none that chains to a root.
    const certificate = call.getAuthContext().sslPeerCertificate?.raw;
    const impersonated = request.metadata?.fields?.['ImpersonatedIdentity']?.stringValue;
    const outcome = await this.citadel.sign({ bearer: bearerOf(metadata), certificate }, addressOf(call.getPeer()), {
      csr: request.csr,
      lifetime: request.validityDuration,
      ...(impersonated !== undefined && { impersonated }),
    });
    if (!('chain' in outcome)) throw new RpcException(refusalError(outcome));
    return { certChain: outcome.chain };
  }
}
