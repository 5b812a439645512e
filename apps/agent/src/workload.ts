import fs from 'node:fs';
import path from 'node:path';
import type { LoggerService } from '@nestjs/common';
import { formatWorkloadId, makeWorkloadKey, type TrustBundles, type WorkloadKeyType } from '@seine/ca';
import {
  type AskAuthority,
  certificateSecret,
  exportKey,
  FileSecrets,
  type HeldCertificate,
  SecretBoard,
  systemRoots,
  WorkloadCertificate,
  workloadSecretName,
  WorkloadSecrets,
} from '@seine/sds';
import type { AgentMetrics } from './agent.metrics.js';
import type { WorkloadArguments } from './config.js';
import { type KeptCertificates, provesOnce } from './kept-certificates.js';
import { findSystemRoots } from './system-roots.js';
import { TokenFile } from './token-file.js';

/** What workloads of an agent have in common. */
export interface WorkloadContext {
  readonly trustDomain: string;
  readonly keyType: WorkloadKeyType;
  readonly ask: AskAuthority;
  /** The own trust domain's roots. */
  readonly bundles: () => TrustBundles;
  /** Has what Envoys judge others by. */
  readonly roots: SecretBoard;
  readonly kept: KeptCertificates;
  /** Whether this workload is the only one of its agent. */
  readonly isAlone: () => boolean;
  /** A certificate is in force. */
  readonly onCertified: () => void;
  readonly watchFile: (file: string, onText: (text: string | undefined) => void) => () => void;
  readonly logger: LoggerService;
  readonly metrics: AgentMetrics;
  readonly now: () => number;
  readonly random: () => number;
  readonly later: (run: () => void, ms: number) => () => void;
}

/** What holds for a workload by where it came from. */
export interface WorkloadTerms {
  /**
   * On a socket of its own; a shared one asks for the workload's token.
   * @returns why a bearer that was shown, or none, is refused
   */
  readonly refusal: (bearer: string | undefined) => string | undefined;
  /** Whether a certificate may be written down for a restart, where its proof is used up. */
  readonly mayKeep: boolean;
}

const ordinary: WorkloadTerms = { refusal: () => undefined, mayKeep: true };

/** A workload with all that the agent keeps of it. */
export class Workload {
  readonly token = new TokenFile();
  readonly secrets: WorkloadSecrets;
  readonly certificate: WorkloadCertificate;
  readonly #own = new SecretBoard();
  readonly #spiffeId: string;
  #endToken: (() => void) | undefined;

  constructor(
    readonly options: WorkloadArguments,
    private readonly context: WorkloadContext,
    readonly terms: WorkloadTerms = ordinary,
  ) {
    const { namespace, serviceAccount } = options;
    const { trustDomain, keyType, ask, bundles, metrics, now, random, later } = context;
    const identity = { trustDomain, namespace, serviceAccount };
    this.#spiffeId = formatWorkloadId(identity);
    this.certificate = new WorkloadCertificate({
      identity,
      makeKey: () => makeWorkloadKey(keyType),
      ask: (csr, proof) => {
        metrics.asked();
        return ask(csr, proof);
      },
      token: () => this.token.token,
      bundles,
      onIssued: (held) => this.#take(held),
      onFailed: (reason, waitMs) => {
        metrics.failed();
        this.#warn(`no certificate: ${reason}; next try in ${Math.round(waitMs)} ms`, 'certificate');
      },
      now,
      random,
      later,
    });
    this.secrets = new WorkloadSecrets(this.#own, context.roots, this.#files());
  }

  get name(): string {
    return this.options.name;
  }

  /** Follows the token file, and gets a certificate: the one of before where there is one in force. */
  start(): void {
    const { tokenFile } = this.options;
    if (tokenFile !== undefined) {
      const onText = (text: string | undefined): void => this.#readToken(tokenFile, text);
      this.#endToken = this.context.watchFile(tokenFile, onText);
    }
    const kept = this.context.kept.find(this.name, this.#spiffeId);
    if (!kept) {
      this.certificate.start();
      return;
    }
    const refusal = this.certificate.resume(kept);
    if (refusal !== undefined) this.#warn(`the certificate that was kept cannot be used: ${refusal}`, 'certificate');
  }

  /** A token that comes from elsewhere than a file. */
  takeToken(token: string): void {
    this.token.read(token);
    this.certificate.tokenChanged();
  }

  stop(): void {
    this.certificate.stop();
    this.#endToken?.();
  }

  #take(held: HeldCertificate): void {
    const { kept, logger } = this.context;
    this.#own.put(certificateSecret(workloadSecretName, held.chain.join(''), exportKey(held.key)));
    logger.log(`${this.name}: ${describe(held)}`, 'certificate');
    try {
      if (this.terms.mayKeep && provesOnce(this.token.token)) kept.keep(this.name, this.#spiffeId, held);
      else kept.forget(this.name);
    } catch (error) {
      this.#warn(`the certificate cannot be kept for a restart: ${String(error)}`, 'certificate');
    }
    this.context.onCertified();
  }

  #readToken(file: string, text: string | undefined): void {
    const remark = this.token.read(text);
    if (remark !== undefined) this.#warn(`the token file ${file} ${remark}`, 'token');
    this.certificate.tokenChanged();
  }

  #files(): FileSecrets {
    const { watchFile, metrics } = this.context;
    return new FileSecrets({
      isAllowed: (file) => this.#isAllowed(file),
      watchFile: (file, onText) => {
        if (file === systemRoots) return watchFile(findSystemRoots(), onText);
        // A link must not lead out of the folder that is let out.
        return watchFile(file, (text) => onText(this.#isAllowed(realPath(file)) ? text : undefined));
      },
      onFailure: (secret, reason) => {
        metrics.fileFailed();
        this.#warn(`${secret}: ${reason}`, 'secret');
      },
    });
  }

  /**
   * Who is alone on an agent may have what the agent itself can read, as with Istio: it is the agent of a machine or a
   * pod. Where several share one agent, a file of the one is none of the other's business.
   */
  #isAllowed(file: string): boolean {
    const { files } = this.options;
    if (file === systemRoots) return true;
    if (!files) return this.context.isAlone();
    const absolute = path.resolve(file);
    return files
      .flatMap((folder) => [folder, realPath(folder)])
      .some((folder) => absolute.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep));
  }

  #warn(message: string, about: string): void {
    this.context.logger.warn(`${this.name}: ${message}`, about);
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
