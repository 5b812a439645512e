import 'reflect-metadata';
import { type DynamicModule, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SignerUnavailableError, SigningFilesError } from '@seine/ca';
import { closeOnSignal, JsonLogger, METRICS, MetricsModule } from '@seine/nest';
import type { Registry } from 'prom-client';
import { CitadelMetrics } from './citadel.metrics.js';
import { certificateApiServer, CitadelModule } from './citadel.module.js';
import { CitadelService } from './citadel.service.js';
import { parseArguments, usage, UsageError } from './config.js';
import { BundleEndpoint } from './federation/bundle-endpoint.js';
import { openCitadel } from './open-citadel.js';

@Module({})
class MainModule {
  static register(citadel: CitadelService): DynamicModule {
    return { module: MainModule, imports: [CitadelModule.register(citadel), MetricsModule] };
  }
}

async function main(): Promise<void> {
  const options = parseArguments(process.argv.slice(2));
  const logger = new JsonLogger({ name: 'citadel' });
  Logger.overrideLogger(logger);
  const citadel = await openCitadel({ ...options, logger });
  const app = await NestFactory.create(MainModule.register(citadel));
  citadel.measure(new CitadelMetrics(app.get<Registry>(METRICS)));
  app.connectMicroservice(certificateApiServer(citadel, options.listen, logger));
  app.enableShutdownHooks();
  closeOnSignal(app, logger);
  await app.startAllMicroservices();
  await app.listen(options.admin.port, options.admin.host);
  if (options.bundleEndpoint) {
    const endpoint = await BundleEndpoint.listen(options.bundleEndpoint, citadel.serving, () => citadel.bundle());
    citadel.onServing((serving) => endpoint.renew(serving));
  }
  console.log('ready');
}

try {
  await main();
} catch (error) {
  const isPlain = error instanceof SigningFilesError || error instanceof SignerUnavailableError;
  if (error instanceof UsageError) console.error(`citadel: ${error.message}\n${usage}`);
  else if (isPlain) console.error(`citadel: ${error.message}`);
  else console.error(error);
  process.exit(error instanceof UsageError ? 2 : 1);
}
