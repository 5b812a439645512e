import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { serviceIdentity } from '@seine/identity';
import { closeOnSignal, JsonLogger, parseAddress, UsageError } from '@seine/nest';
import { parseArguments, usage } from './config.js';
import { ConfigDirs } from './mesh/config-dirs.js';
import { loadAdapters } from './mesh/load-adapters.js';
import { MixerModule } from './mixer.module.js';

/** Mixer alone. Prints `ready` when it serves. */
async function main(): Promise<void> {
  const { secure, plain, admin, configDirs, adapters, ...limits } = parseArguments(process.argv.slice(2));
  const logger = new JsonLogger({ name: 'mixer', level: process.env['LOG_LEVEL'] ?? 'warn' });
  const identity = secure && serviceIdentity('mixer', secure, (message) => logger.warn(message, 'identity'));
  identity?.start();
  const dirs =
    configDirs.length === 0
      ? undefined
      : new ConfigDirs({
          folders: configDirs,
          onProblem: (message) => logger.warn(message, 'config'),
          onError: (error) => logger.error(error, 'config'),
        });
  const module = MixerModule.register({
    plain,
    secure: secure && identity && { listen: secure.listen, identity },
    mesh: dirs?.store,
    moreAdapters: await loadAdapters(adapters),
    ...limits,
  });
  const app = await NestFactory.create(module, { logger });
  app.enableShutdownHooks();
  closeOnSignal(app, logger);
  const { host, port } = parseAddress(admin);
  await app.listen(port, host);
  await dirs?.start();
  process.stdout.write('ready\n');
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`mixer: ${message}\n${error instanceof UsageError ? `${usage}\n` : ''}`);
  process.exit(error instanceof UsageError ? 2 : 1);
});
