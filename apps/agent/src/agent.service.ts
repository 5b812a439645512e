import fs from 'node:fs';
import path from 'node:path';
import type { LoggerService } from '@nestjs/common';
import { makeWorkloadKey, type TrustBundles } from '@seine/ca';
import {
  type AskAuthority,
  certificateSecret,
  exportKey,
  FileSecrets,
  type HeldCertificate,
  readTrustedRoots,
  rootSecret,
  rootSecretName,
  type SdsEvents,
  SecretBoard,
  systemRoots,
  WorkloadCertificate,
  workloadSecretName,
  WorkloadSecrets,
} from '@seine/sds';
import type { AgentMetrics } from './agent.metrics.js';
import type { AgentArguments, WorkloadArguments } from './config.js';
import { type Admission, SdsServer } from './sds-server.js';
import { findSystemRoots } from './system-roots.js';
import { TokenFile } from './token-file.js';

export interface AgentOptions extends Pick<AgentArguments, 'rootCertFile' | 'trustDomain' | 'workloads' | 'keyType'> {
  /** @param bundles the roots that are trusted now */
  readonly authority: (bundles: () => TrustBundles) => AskAuthority;
  readonly watchFile: (file: string, onText: (text: string | undefined) => void) => () => void;
  readonly logger: LoggerService;
  readonly metrics: AgentMetrics;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Runs a function after so many milliseconds; the returned one calls it off. */
  readonly later: (run: () => void, ms: number) => () => void;
}

/** A workload with all that the agent keeps of it. */
interface Workload {
  readonly name: string;
  readonly socket: string;
  readonly token: TokenFile;
  readonly certificate: WorkloadCertificate;
  readonly secrets: WorkloadSecrets;
}

/** Keeps the certificates of some workloads and serves each to its Envoys. */
export class AgentService {
  readonly #workloads: readonly Workload[];
  readonly #roots = new SecretBoard();
  readonly #ask: AskAuthority;
  readonly #ends: (() => void)[] = [];
  #bundles: TrustBundles = new Map();
  #servers: readonly SdsServer[] = [];

  constructor(private readonly options: AgentOptions) {
    this.#ask = options.authority(() => this.#bundles);
    this.#workloads = options.workloads.map((workload) => this.#workload(workload));
    const { metrics, now } = options;
    metrics.expiries(() =>
      this.#workloads.flatMap(({ name, certificate }) =>
        certificate.held ? [{ workload: name, seconds: (certificate.held.notAfter - now()) / 1000 }] : [],
      ),
    );
  }

  /** Serves the sockets, then asks for certificates. @throws Error when a socket cannot be had */
  async start(): Promise<void> {
    const { watchFile, rootCertFile } = this.options;
    this.#ends.push(watchFile(rootCertFile, (text) => this.#readRoots(text)));
    const sockets = [...new Set(this.#workloads.map(({ socket }) => socket))];
    const served: SdsServer[] = [];
    this.#servers = served;
    for (const socket of sockets) served.push(await this.#serve(socket));
    this.options.workloads.forEach(({ tokenFile }, index) => {
      const workload = this.#workloads[index];
      if (workload) this.#ends.push(watchFile(tokenFile, (text) => this.#readToken(workload, tokenFile, text)));
    });
    for (const { certificate } of this.#workloads) certificate.start();
  }

  stop(): void {
    for (const { certificate } of this.#workloads) certificate.stop();
    for (const end of this.#ends.splice(0)) end();
    for (const server of this.#servers) server.close();
  }

  /** Workloads without a certificate in force. */
  waiting(): readonly string[] {
    return this.#workloads.filter(({ certificate }) => !certificate.isInForce).map(({ name }) => name);
  }

  #workload(options: WorkloadArguments): Workload {
    const { name, namespace, serviceAccount, socket } = options;
    const { trustDomain, keyType, now, random, later, logger, metrics, watchFile } = this.options;
    const own = new SecretBoard();
    const token = new TokenFile();
    const certificate = new WorkloadCertificate({
      identity: { trustDomain, namespace, serviceAccount },
      makeKey: () => makeWorkloadKey(keyType),
      ask: (csr, proof) => {
        metrics.asked();
        return this.#ask(csr, proof);
      },
      token: () => token.token,
      bundles: () => this.#bundles,
      onIssued: (held) => {
        own.put(certificateSecret(workloadSecretName, held.chain.join(''), exportKey(held.key)));
        logger.log(`${name}: ${describe(held)}`, 'certificate');
      },
      onFailed: (reason, waitMs) => {
        metrics.failed();
        logger.warn(`${name}: no certificate: ${reason}; next try in ${Math.round(waitMs)} ms`, 'certificate');
      },
      now,
      random,
      later,
    });
    const files = new FileSecrets({
      isAllowed: (file) => this.#isAllowed(options, file),
      watchFile: (file, onText) => {
        if (file === systemRoots) return watchFile(findSystemRoots(), onText);
        // A link must not lead out of the folder that is let out.
        return watchFile(file, (text) => onText(this.#isAllowed(options, realPath(file)) ? text : undefined));
      },
      onFailure: (secret, reason) => {
        metrics.fileFailed();
        logger.warn(`${name}: ${secret}: ${reason}`, 'secret');
      },
    });
    return { name, socket, token, certificate, secrets: new WorkloadSecrets(own, this.#roots, files) };
  }

  /**
   * Who is alone on a socket may have what the agent itself can read, as with Istio: it is the agent of a machine or a
   * pod. Where several share one agent, a file of the one is none of the other's business.
   */
  #isAllowed({ files }: WorkloadArguments, file: string): boolean {
    if (file === systemRoots) return true;
    if (!files) return this.options.workloads.length === 1;
    const absolute = path.resolve(file);
    return files
      .flatMap((folder) => [folder, realPath(folder)])
      .some((folder) => absolute.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep));
  }

  #serve(socket: string): Promise<SdsServer> {
    const { logger } = this.options;
    const onWarning = (message: string): void => void logger.warn(message, 'sds');
    return SdsServer.listen({
      socket,
      admit: (bearer) => this.#admit(socket, bearer),
      events: this.#events(onWarning),
      onWarning,
    });
  }

  #events(onWarning: (message: string) => void): SdsEvents {
    return {
      onRefusedName: (name, reason) => onWarning(`the secret ${JSON.stringify(name)} ${reason}`),
      onNack: (names, message) => {
        this.options.metrics.refused();
        onWarning(`an Envoy refuses ${names.join(', ')}: ${message}`);
      },
    };
  }

  #admit(socket: string, bearer: string | undefined): Admission {
    const here = this.#workloads.filter((workload) => workload.socket === socket);
    const [only, ...others] = here;
    if (only && others.length === 0) return only.secrets;
    if (bearer === undefined) return { error: 'several workloads share this socket, and no token says which it is' };
    const proved = here.find(({ token }) => token.matches(bearer));
    return proved?.secrets ?? { error: 'the token is of no workload of this socket' };
  }

  #readToken({ name, token, certificate }: Workload, file: string, text: string | undefined): void {
    const remark = token.read(text);
    if (remark !== undefined) this.options.logger.warn(`${name}: the token file ${file} ${remark}`, 'token');
    certificate.tokenChanged();
  }

  /** The streams hear of new roots before a certificate of one of them is used (S-3). */
  #readRoots(text: string | undefined): void {
    const { logger, rootCertFile, trustDomain } = this.options;
    const read = text === undefined ? { error: 'is not there' } : readTrustedRoots(text);
    if ('error' in read) {
      const kept = this.#bundles.size > 0 ? '; the roots that were there are kept' : '';
      logger.warn(`the file of roots ${rootCertFile} ${read.error}${kept}`, 'roots');
      return;
    }
    this.#bundles = new Map([[trustDomain, read.roots]]);
    this.#roots.put(rootSecret(rootSecretName, read.roots.join('')));
    logger.log(`${read.roots.length} roots are trusted now`, 'roots');
    for (const { certificate } of this.#workloads) certificate.rootsChanged();
  }
}

function realPath(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return path.resolve(file);
  }
}

function describe({ serial, notAfter }: HeldCertificate): string {
  return `certificate ${serial} until ${new Date(notAfter).toISOString()}`;
}
