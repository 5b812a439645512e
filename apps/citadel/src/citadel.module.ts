import { fileURLToPath } from 'node:url';
import type { Server } from '@grpc/grpc-js';
import {
  type DynamicModule,
  Inject,
  Injectable,
  type LoggerService,
  Module,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { type GrpcOptions, Transport } from '@nestjs/microservices';
import { certificateApiLoaderOptions, certificateApiPackage, certificateApiProto } from '@seine/api';
import { HealthChecks, HealthModule } from '@seine/nest';
import { AdminController } from './admin/admin.controller.js';
import { AdminToken } from './admin/admin-token.js';
import { BundleController } from './admin/bundle.controller.js';
import { CertificateController } from './certificate.controller.js';
import { CitadelService } from './citadel.service.js';
import { serveBundle } from './sds/bundle-discovery.js';

/** Ends citadel's timers with its program. */
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

/** The certificate authority: Istio's certificate API, the trust bundle, and what operators do with it. */
@Module({})
export class CitadelModule {
  static register(citadel: CitadelService): DynamicModule {
    return {
      module: CitadelModule,
      imports: [HealthModule],
      controllers: [CertificateController, BundleController, AdminController],
      providers: [
        { provide: CitadelService, useValue: citadel },
        { provide: AdminToken, useValue: AdminToken.open(citadel.stateDir) },
        CitadelLifecycle,
      ],
      exports: [CitadelService],
    };
  }
}

/** Far more than an honest request needs. */
const maxMessageSize = 64 * 1024;

/**
 * How a Nest program serves the certificate API, and the trust bundle over SDS, over TLS only. Anybody may connect; what
 * they show decides.
 * @param listen `host:port`
 */
export function certificateApiServer(citadel: CitadelService, listen: string, logger?: LoggerService): GrpcOptions {
  return {
    transport: Transport.GRPC,
    options: {
      package: certificateApiPackage,
      protoPath: fileURLToPath(certificateApiProto),
      loader: { ...certificateApiLoaderOptions },
      url: listen,
      credentials: citadel.credentials,
      maxReceiveMessageLength: maxMessageSize,
      onLoadPackageDefinition: (_, server: Pick<Server, 'addService'>) =>
        serveBundle(server as Server, citadel, (message) => void logger?.warn(message, 'bundle')),
    },
  };
}
