import { fileURLToPath } from 'node:url';
import { type DynamicModule, Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { type GrpcOptions, Transport } from '@nestjs/microservices';
import { certificateApiLoaderOptions, certificateApiPackage, certificateApiProto } from '@seine/api';
import { HealthChecks, HealthModule } from '@seine/nest';
import { BundleController, CertificateController } from './certificate.controller.js';
import { CitadelService } from './citadel.service.js';

/** Ends the renewal of citadel's own certificate with its program. */
@Injectable()
export class CitadelLifecycle implements OnApplicationShutdown {
  constructor(
    @Inject(CitadelService) private readonly citadel: CitadelService,
    @Inject(HealthChecks) health: HealthChecks,
  ) {
    // The service is made only when there is something to sign with.
    health.add('citadel: a root to sign with', () => true);
  }

  onApplicationShutdown(): void {
    this.citadel.stop();
  }
}

/** The certificate authority, with Istio's certificate API on top. */
@Module({})
export class CitadelModule {
  static register(citadel: CitadelService): DynamicModule {
    return {
      module: CitadelModule,
      imports: [HealthModule],
      controllers: [CertificateController, BundleController],
      providers: [{ provide: CitadelService, useValue: citadel }, CitadelLifecycle],
      exports: [CitadelService],
    };
  }
}

/** Far more than an honest request needs. */
const maxMessageSize = 64 * 1024;

/**
 * How a Nest program serves the certificate API, over TLS only. Anybody may connect; what they show decides.
 * @param listen `host:port`
 */
export function certificateApiServer(citadel: CitadelService, listen: string): GrpcOptions {
  return {
    transport: Transport.GRPC,
    options: {
      package: certificateApiPackage,
      protoPath: fileURLToPath(certificateApiProto),
      loader: { ...certificateApiLoaderOptions },
      url: listen,
      credentials: citadel.credentials,
      maxReceiveMessageLength: maxMessageSize,
    },
  };
}
