import { type Metadata, type ServerUnaryCall, status } from '@grpc/grpc-js';
import { Controller, Get, Header, Inject } from '@nestjs/common';
import { GrpcMethod, RpcException } from '@nestjs/microservices';
import type { CertificateRequestMessage, CertificateResponseMessage } from '@seine/api';
import type { RefusalCode, SpiffeBundle } from '@seine/ca';
import { CitadelService } from './citadel.service.js';

type Call = ServerUnaryCall<CertificateRequestMessage, CertificateResponseMessage>;

const codes: Readonly<Record<RefusalCode, status>> = {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  UNAVAILABLE: status.UNAVAILABLE,
};

function bearerOf(metadata: Metadata): string | undefined {
  const [, token] = /^Bearer (.+)$/i.exec(String(metadata.get('authorization')[0] ?? '')) ?? [];
  return token;
}

function certificateOf(call: Call): Buffer | undefined {
  // Not there at all where the client showed none, or none that chains to a root.
  const raw = call.getAuthContext().sslPeerCertificate?.raw;
  return raw;
}

/** Without the port, which is another one at each connection. */
function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, '');
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
    const credentials = { bearer: bearerOf(metadata), certificate: certificateOf(call) };
    const asked = { csr: request.csr, lifetime: request.validityDuration };
    const outcome = await this.citadel.sign(credentials, addressOf(call.getPeer()), asked);
    // Why is in citadel's log: a stranger learns nothing.
    if ('unauthenticated' in outcome)
      throw new RpcException({ code: status.UNAUTHENTICATED, message: 'the caller’s identity is not proved' });
    if ('refusal' in outcome) {
      const { code, message } = outcome.refusal;
      throw new RpcException({ code: codes[code], message });
    }
    return { certChain: outcome.chain };
  }
}

/** The roots of the trust domain, for whoever wants to verify its certificates. */
@Controller()
export class BundleController {
  constructor(@Inject(CitadelService) private readonly citadel: CitadelService) {}

  @Get('bundle')
  bundle(): SpiffeBundle {
    return this.citadel.bundle();
  }

  @Get('root-cert.pem')
  @Header('content-type', 'application/x-pem-file')
  roots(): string {
    return this.citadel.roots();
  }
}
