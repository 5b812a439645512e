import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DynamicModule, LoggerService } from '@nestjs/common';
import { AgentModule, type WorkloadArguments } from '@seine/app-agent';
import {
  type Authenticator,
  citadelClient,
  FileWatcher,
  serviceAccount,
  serviceId,
  ServiceIdentity,
} from '@seine/identity';
import { later } from '@seine/nest';
import type { PlannedWorkload } from '../plan/planned-workload.js';
import { RunTokens } from './run-tokens.js';
import type { WorkloadSockets } from './workload-sockets.js';

export interface LaptopIdentityOptions {
  readonly workloads: readonly PlannedWorkload[];
  readonly sockets: WorkloadSockets;
  /** For what only this user may read. */
  readonly folder: string;
  readonly trustDomain: string;
  /** Other names of the trust domain. */
  readonly trustDomainAliases: readonly string[] | undefined;
  /** Of the certificate API, `host:port`. */
  readonly citadel: string;
  /** PEM: all roots that are trusted; citadel writes it. */
  readonly rootCertFile: string;
  readonly logger: LoggerService;
}

const ownerOnly = { folder: 0o700, file: 0o600 } as const;

/** What Envoys expect of pilot. */
export function pilotId(trustDomain: string): string {
  return serviceId('pilot', trustDomain);
}

/** Identities of everybody on one machine: how citadel knows them, and who keeps their certificates. */
export class LaptopIdentity {
  readonly #tokens = new RunTokens();
  readonly #watcher = new FileWatcher();
  readonly #now = (): number => Date.now();

  private constructor(
    private readonly options: LaptopIdentityOptions,
    private readonly agentWorkloads: WorkloadArguments[],
  ) {}

  /** Makes a token a workload, in files that only this user can read. */
  static async prepare(options: LaptopIdentityOptions): Promise<LaptopIdentity> {
    const { folder, workloads, sockets, trustDomain } = options;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: ownerOnly.folder });
    await chmod(folder, ownerOnly.folder);
    const identity = new LaptopIdentity(options, []);
    for (const [index, workload] of workloads.entries()) {
      const { name, namespace, serviceAccount } = workload;
      const tokenFile = path.join(folder, `${index}.token`);
      const token = identity.#tokens.create({ trustDomain, namespace, serviceAccount });
      await writeFile(tokenFile, token, { mode: ownerOnly.file });
      const socket = sockets.of(workload);
      identity.agentWorkloads.push({ name, namespace, serviceAccount, tokenFile, socket, files: undefined });
    }
    return identity;
  }

  /** How citadel believes the workloads of this run. */
  get authenticator(): Authenticator {
    return this.#tokens.authenticate;
  }

  /** The agent of all Envoys here. */
  agent(): DynamicModule {
    const { rootCertFile, trustDomain, trustDomainAliases = [], logger } = this.options;
    return AgentModule.register({
      rootCertFile,
      trustDomain,
      trustDomainAliases,
      workloads: this.agentWorkloads,
      keyType: 'ecdsa-p256',
      authority: (bundles) => this.#citadel(bundles),
      watchFile: this.#watcher.watch,
      logger,
      now: this.#now,
      random: Math.random,
      later,
    });
  }

  /** A service of the control plane as a workload of the mesh; to be started. @param service `pilot`, `registry`, … */
  service(service: string): ServiceIdentity {
    const { trustDomain, rootCertFile, logger } = this.options;
    const identity = serviceAccount(service, trustDomain);
    const token = this.#tokens.create(identity);
    return new ServiceIdentity({
      identity,
      authority: (bundles) => this.#citadel(bundles),
      token: (onText) => {
        onText(token);
        return () => undefined;
      },
      roots: (onText) => this.#watcher.watch(rootCertFile, onText),
      onWarning: (message) => void logger.warn(message, service),
      now: this.#now,
      random: Math.random,
      later,
    });
  }

  /** The tokens are worth nothing from now on. */
  async close(): Promise<void> {
    this.#watcher.close();
    await rm(this.options.folder, { recursive: true, force: true });
  }

  #citadel(bundles: Parameters<Parameters<typeof AgentModule.register>[0]['authority']>[0]) {
    const { citadel, trustDomain } = this.options;
    return citadelClient({ address: citadel, trustDomain, bundles, lifetime: 0, now: this.#now });
  }
}
