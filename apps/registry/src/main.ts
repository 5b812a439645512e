import 'reflect-metadata';
import { Logger, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { serviceIdentity } from '@seine/identity';
import { closeOnSignal, JsonLogger, MetricsModule } from '@seine/nest';
import { ConfigPathError } from '@seine/source-file';
import { MemoryStore } from '@seine/store-memory';
import type { ConfigApiAccess } from './access.js';
import { parseArguments, type RegistryArguments, usage, UsageError } from './config.js';
import { configApiServer, RegistryModule } from './registry.module.js';

@Module({})
class MainModule {
  static register(options: RegistryArguments): DynamicModule {
    const registry = RegistryModule.register({ store: new MemoryStore(), ...options });
    return { module: MainModule, imports: [registry, MetricsModule] };
  }
}

/** Who may use the config API, by an identity of the registry's own, which it begins to ask citadel for. */
function accessOf({ service, admins }: RegistryArguments, logger: JsonLogger): ConfigApiAccess | undefined {
  if (!service) return undefined;
  const identity = serviceIdentity('registry', service, (message) => logger.warn(message, 'identity'));
  identity.start();
  return { identity, admins: admins.length > 0 ? admins : undefined };
}

async function main(): Promise<void> {
  const options = parseArguments(process.argv.slice(2));
  const logger = new JsonLogger({ name: 'registry' });
  Logger.overrideLogger(logger);
  const app = await NestFactory.create(MainModule.register(options));
  app.connectMicroservice(configApiServer(options.listen, accessOf(options, logger)));
  closeOnSignal(app, logger);
  await app.init();
  await app.startAllMicroservices();
  await app.listen(options.admin.port, options.admin.host);
  console.log('ready');
}

try {
  await main();
} catch (error) {
  if (error instanceof UsageError) console.error(`registry: ${error.message}\n${usage}`);
  else if (error instanceof ConfigPathError) console.error(`registry: ${error.message}`);
  else console.error(error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
