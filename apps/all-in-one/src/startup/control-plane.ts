import 'reflect-metadata';
import { type DynamicModule, type INestApplication, type LoggerService, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PilotModule } from '@seine/app-pilot';
import { configApiServer, RegistryModule } from '@seine/app-registry';
import { MemoryStore } from '@seine/store-memory';
import { controlPlanePorts } from './control-plane-ports.js';

export interface ControlPlaneOptions {
  readonly configDirs: readonly string[];
  /** Where applied objects are kept. */
  readonly stateDir: string;
  readonly fresh: boolean;
  readonly logger: LoggerService;
}

const address = ({ host, port }: { readonly host: string; readonly port: number }): string => `${host}:${port}`;

@Module({})
class AllInOneModule {
  static register({ configDirs, stateDir, fresh }: ControlPlaneOptions): DynamicModule {
    const store = new MemoryStore();
    return {
      module: AllInOneModule,
      imports: [
        RegistryModule.register({ store, configDirs, stateDir, fresh }),
        // Its Envoys end before it does: no stream is left that would have to be closed gently.
        PilotModule.register({ store, xds: address(controlPlanePorts.xds), drainMs: 0 }),
      ],
    };
  }
}

/** The services in this process, over one store in memory; serving when the promise resolves. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<INestApplication> {
  const { logger } = options;
  // Without abortOnError Nest would end the process itself, and not say why in a sentence.
  const settings = { logger, abortOnError: false };
  const app = await NestFactory.create(AllInOneModule.register(options), settings);
  app.connectMicroservice(configApiServer(address(controlPlanePorts.configApi)));
  await app.startAllMicroservices();
  await app.listen(controlPlanePorts.pilotAdmin.port, controlPlanePorts.pilotAdmin.host);
  return app;
}
