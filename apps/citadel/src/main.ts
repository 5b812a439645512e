import 'reflect-metadata';
import fs from 'node:fs';
import path from 'node:path';
import { Logger, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SigningFilesError } from '@seine/ca';
import { closeOnSignal, JsonLogger, later, MetricsModule } from '@seine/nest';
import { AuditLog } from './audit-log.js';
import { byOidcToken } from './authenticators.js';
import { certificateApiServer, CitadelModule } from './citadel.module.js';
import { CitadelService } from './citadel.service.js';
import { type CitadelArguments, parseArguments, usage, UsageError } from './config.js';
import { readPluggedIn, SigningDirectory } from './signing-directory.js';

/** Ten years, as Istio's self-signed roots have. */
const rootLifetimeMs = 10 * 365 * 86_400_000;

@Module({})
class MainModule {
  static register(citadel: CitadelService): DynamicModule {
    return { module: MainModule, imports: [CitadelModule.register(citadel), MetricsModule] };
  }
}

async function makeCitadel(options: CitadelArguments, logger: JsonLogger): Promise<CitadelService> {
  const { trustDomain, stateDir, cacertsDir, lifetimes, dnsNames, oidc } = options;
  const now = (): number => Date.now();
  fs.mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const audit = new AuditLog(path.join(stateDir, 'audit.log'));
  const files =
    cacertsDir === undefined
      ? await new SigningDirectory(stateDir).open(trustDomain, now(), rootLifetimeMs)
      : readPluggedIn(cacertsDir);
  return new CitadelService({
    trustDomain,
    files,
    lifetimes,
    dnsNames,
    authenticators: oidc ? [byOidcToken({ ...oidc, trustDomain, now })] : [],
    audit: (record) => audit.write(record),
    onRefused: (address, reason) => logger.warn(`${address}: ${reason}`, 'authentication'),
    now,
    random: Math.random,
    later,
  });
}

async function main(): Promise<void> {
  const options = parseArguments(process.argv.slice(2));
  const logger = new JsonLogger({ name: 'citadel' });
  Logger.overrideLogger(logger);
  const citadel = await makeCitadel(options, logger);
  const app = await NestFactory.create(MainModule.register(citadel));
  app.connectMicroservice(certificateApiServer(citadel, options.listen));
  app.enableShutdownHooks();
  closeOnSignal(app, logger);
  await app.startAllMicroservices();
  await app.listen(options.admin.port, options.admin.host);
  console.log('ready');
}

try {
  await main();
} catch (error) {
  if (error instanceof UsageError) console.error(`citadel: ${error.message}\n${usage}`);
  else if (error instanceof SigningFilesError) console.error(`citadel: ${error.message}`);
  else console.error(error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
