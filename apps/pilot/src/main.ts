import 'reflect-metadata';
import type { NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import fs from 'node:fs';
import { formatDiagnostic, hasErrors } from '@seine/diagnostics';
import { defaultMeshConfig, type MeshConfig, parseMeshConfig } from '@seine/model';
import { byOidcToken, DenialFeed, readOverHttp, serviceIdentity } from '@seine/identity';
import { closeOnSignal, JsonLogger, later } from '@seine/nest';
import type { RedisOptions } from '@seine/redis';
import { ObjectTable } from '@seine/registry';
import { FileSource } from '@seine/source-file';
import { MemoryStore } from '@seine/store-memory';
import { RedisStore } from '@seine/store-redis';
import { parseAddress, parseArguments, type SecureArguments, UsageError, usage } from './config.js';
import { PilotModule } from './pilot.module.js';
import type { SecureXdsOptions } from './secure-xds.js';

/** Pilot alone: reads folders of YAML itself, for tools and benchmarks. Prints `ready` when it serves. */
async function main(): Promise<void> {
  const { configDirs, redis, xds, secure, admin, drainMs, meshConfigFile, jwks } = parseArguments(
    process.argv.slice(2),
    process.env,
  );
  const logger = new JsonLogger({ name: 'pilot', level: process.env['LOG_LEVEL'] ?? 'warn' });
  const meshConfig = meshConfigFile === undefined ? defaultMeshConfig : readMeshConfigFile(meshConfigFile, logger);
  const store = redis ? meshLogIn(redis, logger) : new MemoryStore();
  const table = new ObjectTable();
  const sources = configDirs.map(
    (path) => new FileSource({ path, onError: (error) => logger.error(error, 'file source') }),
  );

  const settings: NestApplicationOptions = { logger };
  const secureXds = secure && secureXdsOf(secure, meshConfig, logger);
  const module = PilotModule.register({ store, xds, secureXds, drainMs, meshConfig, jwks });
  const app = await NestFactory.create(module, settings);
  app.enableShutdownHooks();
  closeOnSignal(app, logger);
  const { host, port } = parseAddress(admin);
  await app.listen(port, host);

  const told = new Map<string, ReadonlySet<string>>();
  for (const source of sources) {
    await source.start((update) => {
      for (const [origin, diagnostics] of update.diagnostics) {
        const problems = new Set(diagnostics.map(formatDiagnostic));
        for (const problem of problems) if (!told.get(origin)?.has(problem)) logger.warn(problem, 'config');
        told.set(origin, problems);
      }
      void store.write(table.apply(update));
    });
  }
  if (redis) await new Promise<void>((resolve) => store.onSynced(resolve));
  else await store.markSynced();
  setImmediate(() => process.stdout.write('ready\n'));
}

/** What registries write. While Redis is away, pilot goes on with what it knows. */
function meshLogIn(redis: RedisOptions, logger: JsonLogger): RedisStore {
  return new RedisStore({
    redis,
    onUp: () => logger.warn('the mesh log in Redis can be read', 'mesh log'),
    onDown: (reason) => logger.error(`the mesh log cannot be read, and the mesh stays as it is: ${reason}`, 'mesh log'),
  });
}

/** Pilot with an identity of its own, which it begins to ask citadel for. */
function secureXdsOf(secure: SecureArguments, meshConfig: MeshConfig, logger: JsonLogger): SecureXdsOptions {
  const { listen, trustDomain, oidc, citadelAdmin } = secure;
  const identity = serviceIdentity('pilot', secure, (message) => logger.warn(message, 'identity'));
  identity.start();
  const authenticators = oidc ? [byOidcToken({ ...oidc, trustDomain, now: () => Date.now() })] : [];
  const onWarning = (message: string): void => logger.warn(message, 'identity');
  const denied = citadelAdmin && new DenialFeed({ citadelAdmin, read: readOverHttp, onWarning, later });
  denied?.start();
  return { listen, identity, denied, trustDomains: meshConfig.trustDomainAliases, authenticators };
}

/** @throws UsageError where the file cannot be read, or something is wrong in it */
function readMeshConfigFile(file: string, logger: JsonLogger): MeshConfig {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--mesh-config: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { config, diagnostics } = parseMeshConfig(text);
  const told = diagnostics.map((diagnostic) => `${file}: ${formatDiagnostic(diagnostic)}`);
  if (hasErrors(diagnostics)) throw new UsageError(`--mesh-config: ${told.join('\n')}`);
  for (const problem of told) logger.warn(problem, 'config');
  return config;
}

main().catch((error: unknown) => {
  if (error instanceof UsageError) {
    process.stderr.write(`pilot: ${error.message}\n${usage}\n`);
    process.exit(2);
  }
  process.stderr.write(`pilot: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
