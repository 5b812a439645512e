import 'reflect-metadata';
import type { NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { formatDiagnostic } from '@seine/diagnostics';
import { closeOnSignal, JsonLogger } from '@seine/nest';
import { ObjectTable } from '@seine/registry';
import { FileSource } from '@seine/source-file';
import { MemoryStore } from '@seine/store-memory';
import { parseAddress, parseArguments, UsageError, usage } from './config.js';
import { PilotModule } from './pilot.module.js';

/** Pilot alone: reads folders of YAML itself, for tools and benchmarks. Prints `ready` when it serves. */
async function main(): Promise<void> {
  const { configDirs, xds, admin, drainMs } = parseArguments(process.argv.slice(2));
  const logger = new JsonLogger({ name: 'pilot', level: process.env['LOG_LEVEL'] ?? 'warn' });
  const store = new MemoryStore();
  const table = new ObjectTable();
  const sources = configDirs.map(
    (path) => new FileSource({ path, onError: (error) => logger.error(error, 'file source') }),
  );

  const settings: NestApplicationOptions = { logger };
  const app = await NestFactory.create(PilotModule.register({ store, xds, drainMs }), settings);
  app.enableShutdownHooks();
  closeOnSignal(app, logger);
  const { host, port } = parseAddress(admin);
  await app.listen(port, host);

  const told = new Set<string>();
  for (const source of sources) {
    await source.start((update) => {
      for (const problem of [...update.diagnostics.values()].flat().map(formatDiagnostic)) {
        if (!told.has(problem)) logger.warn(problem, 'config');
        told.add(problem);
      }
      void store.write(table.apply(update));
    });
  }
  await store.markSynced();
  setImmediate(() => process.stdout.write('ready\n'));
}

main().catch((error: unknown) => {
  if (error instanceof UsageError) {
    process.stderr.write(`pilot: ${error.message}\n${usage}\n`);
    process.exit(2);
  }
  process.stderr.write(`pilot: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
