import 'reflect-metadata';
import path from 'node:path';
import { type DynamicModule, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { citadelClient, FileWatcher } from '@seine/identity';
import { closeOnSignal, JsonLogger, later } from '@seine/nest';
import { AgentModule } from './agent.module.js';
import { MergedMetricsModule } from './metrics/merged-metrics.module.js';
import { AgentService } from './agent.service.js';
import { citadelBundleFeed } from './bundle-feed.js';
import { check } from './check.js';
import { type AgentArguments, parseArguments, usage, UsageError } from './config.js';
import { CsiServer } from './csi/csi-server.js';
import { bindMounter, directoryMounter } from './csi/mounter.js';
import { Volumes } from './csi/volumes.js';
import { noRecords, RecordDirectory, type RecordStore } from './record-store.js';
import { WorkloadsApi } from './workloads-api.js';

/** The agent, and on its HTTP port the metrics of its workloads. */
@Module({})
class MainModule {
  static register(agent: DynamicModule, metrics: DynamicModule): DynamicModule {
    return { module: MainModule, imports: [agent, metrics] };
  }
}

interface Closable {
  close(): void;
}

/** The ways by which workloads come while the agent runs. */
async function openWays(
  { adminSocket, csi, stateDir = '', workloads }: AgentArguments,
  agent: AgentService,
  records: RecordStore,
  logger: JsonLogger,
): Promise<readonly Closable[]> {
  const ways: Closable[] = [];
  if (adminSocket !== undefined) {
    const fixed = new Set(workloads.map(({ name }) => name));
    const api = new WorkloadsApi({ socket: adminSocket, agent, records, fixed, logger });
    await api.start();
    ways.push(api);
  }
  if (csi) {
    const mounter = csi.mount === 'bind' ? bindMounter : directoryMounter;
    const volumes = new Volumes({ ...csi, agent, records, folder: path.join(stateDir, 'sockets'), mounter, logger });
    await volumes.restore();
    const onRegistered = (message: string): void => logger.log(message, 'csi');
    const onWarning = (message: string): void => logger.warn(message, 'csi');
    ways.push(await CsiServer.listen({ ...csi, version: '1', volumes, onRegistered, onWarning }));
  }
  return ways;
}

async function main(): Promise<void> {
  const parsed = parseArguments(process.argv.slice(2));
  if (parsed.check) {
    process.exitCode = await tellFindings(parsed);
    return;
  }
  const { citadel, lifetime, admin, stateDir, ...options } = parsed;
  const { trustDomain } = options;
  const logger = new JsonLogger({ name: 'agent' });
  Logger.overrideLogger(logger);
  const now = (): number => Date.now();
  const records =
    stateDir === undefined ? noRecords : new RecordDirectory(stateDir, (message) => logger.warn(message, 'state'));
  const agentModule = AgentModule.register({
    ...options,
    authority: (bundles) => citadelClient({ address: citadel, trustDomain, bundles, lifetime, now }),
    bundleFeed: citadelBundleFeed({ address: citadel, trustDomain, now, random: Math.random, later }),
    records,
    watchFile: new FileWatcher().watch,
    logger,
    now,
    random: Math.random,
    later,
  });
  const metrics = MergedMetricsModule.register(() => agent.metricsTargets());
  const app = await NestFactory.create(MainModule.register(agentModule, metrics));
  app.enableShutdownHooks();
  const agent = app.get(AgentService);
  await agent.start();
  const ways = await openWays(parsed, agent, records, logger);
  const close = async (): Promise<void> => {
    for (const way of ways) way.close();
    await app.close();
  };
  closeOnSignal({ close }, logger);
  await app.listen(admin.port, admin.host);
  console.log('ready');
}

/** @returns the exit code */
async function tellFindings(parsed: AgentArguments): Promise<number> {
  const findings = await check(parsed);
  for (const { what, wrong } of findings)
    console.log(`${wrong === undefined ? 'ok' : 'WRONG'}  ${what}${wrong === undefined ? '' : ` ${wrong}`}`);
  return findings.some(({ wrong }) => wrong !== undefined) ? 1 : 0;
}

try {
  await main();
} catch (error) {
  if (error instanceof UsageError) console.error(`agent: ${error.message}\n${usage}`);
  else console.error(error instanceof Error ? `agent: ${error.message}` : error);
  process.exit(error instanceof UsageError ? 2 : 1);
}
