import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { citadelClient, FileWatcher } from '@seine/identity';
import { closeOnSignal, JsonLogger, later } from '@seine/nest';
import { AgentModule } from './agent.module.js';
import { AgentService } from './agent.service.js';
import { parseArguments, usage, UsageError } from './config.js';

async function main(): Promise<void> {
  const { citadel, lifetime, admin, ...options } = parseArguments(process.argv.slice(2));
  const { trustDomain } = options;
  const logger = new JsonLogger({ name: 'agent' });
  Logger.overrideLogger(logger);
  const now = (): number => Date.now();
  const module = AgentModule.register({
    ...options,
    authority: (bundles) => citadelClient({ address: citadel, trustDomain, bundles, lifetime, now }),
    watchFile: new FileWatcher().watch,
    logger,
    now,
    random: Math.random,
    later,
  });
  const app = await NestFactory.create(module);
  app.enableShutdownHooks();
  closeOnSignal(app, logger);
  await app.get(AgentService).start();
  await app.listen(admin.port, admin.host);
  console.log('ready');
}

try {
  await main();
} catch (error) {
  if (error instanceof UsageError) console.error(`agent: ${error.message}\n${usage}`);
  else console.error(error instanceof Error ? `agent: ${error.message}` : error);
  process.exit(error instanceof UsageError ? 2 : 1);
}
