import 'reflect-metadata';
import { Logger, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { serviceIdentity } from '@seine/identity';
import { closeOnSignal, JsonLogger, MetricsModule } from '@seine/nest';
import type { RedisOptions } from '@seine/redis';
import { ConfigPathError } from '@seine/source-file';
import { MemoryStore } from '@seine/store-memory';
import type { Store } from '@seine/ports';
import { RedisLease, RedisStore } from '@seine/store-redis';
import type { ConfigApiAccess } from './access.js';
import { parseArguments, type RegistryArguments, usage, UsageError } from './config.js';
import { configApiServer, RegistryModule } from './registry.module.js';

@Module({})
class MainModule {
  static register(options: RegistryArguments, store: Store): DynamicModule {
    const registry = RegistryModule.register({ store, ...options });
    return { module: MainModule, imports: [registry, MetricsModule] };
  }
}

/**
 * The mesh log in Redis, once this registry leads. Where another leads afterwards, which has sources and a table of its own,
 * this process ends: started again, it stands by.
 */
async function meshLogIn(redis: RedisOptions, logger: JsonLogger): Promise<Store> {
  const lease = new RedisLease({
    redis,
    onSuperseded: () => {
      logger.error('another registry leads: this one ends', 'mesh log');
      process.exit(1);
    },
  });
  lease.start();
  logger.log('standing by until no other registry leads', 'mesh log');
  await lease.held();
  logger.log('leads', 'mesh log');
  // What is left of the lease ends with the process, so that another need not wait for it.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void lease.close());
  return new RedisStore({
    redis,
    token: lease.token,
    onUp: () => logger.log('the mesh log in Redis can be written', 'mesh log'),
    onDown: (reason) => logger.error(`the mesh log cannot be written, and changes wait: ${reason}`, 'mesh log'),
  });
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
  const store = options.redis ? await meshLogIn(options.redis, logger) : new MemoryStore();
  const app = await NestFactory.create(MainModule.register(options, store));
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
