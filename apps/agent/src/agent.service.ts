import { isDeepStrictEqual } from 'node:util';
import type { LoggerService } from '@nestjs/common';
import { parseBundle, type TrustBundles } from '@seine/ca';
import {
  type AskAuthority,
  type CertificateProof,
  ownRootSecretName,
  readTrustedRoots,
  rootSecretName,
  type SdsEvents,
} from '@seine/sds';
import type { AgentMetrics } from './agent.metrics.js';
import type { BundleFeed } from './bundle-feed.js';
import type { AgentArguments, WorkloadArguments } from './config.js';
import { KeptCertificates } from './kept-certificates.js';
import type { MetricsTarget } from './metrics/merged-metrics.service.js';
import { noRecords, type RecordStore } from './record-store.js';
import { Sockets } from './sockets.js';
import { Trust } from './trust.js';
import { Workload, type WorkloadTerms } from './workload.js';

export interface AgentOptions extends Pick<AgentArguments, 'rootCertFile' | 'trustDomain' | 'workloads' | 'keyType'> {
  /** Other names of the trust domain, that identities have too. */
  readonly trustDomainAliases?: readonly string[];
  /** @param bundles the roots that are trusted now */
  readonly authority: (bundles: () => TrustBundles) => AskAuthority;
  /** Tells of citadel's bundles as they change; without it only the files count. */
  readonly bundleFeed?: BundleFeed | undefined;
  /** Files with the roots of other trust domains: PEM, or SPIFFE bundles. */
  readonly federatedBundleFiles?: ReadonlyMap<string, string>;
  /** What outlives a restart; without it nothing does. */
  readonly records?: RecordStore;
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

/** What an operator sees of a workload. */
export interface WorkloadState {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly socket: string;
  /** Of the certificate in force: milliseconds since 1970; undefined where there is none. */
  readonly notAfter: number | undefined;
}

/** Keeps the certificates of some workloads and serves each to its Envoys. */
export class AgentService {
  readonly #workloads = new Map<string, Workload>();
  readonly #trust: Trust;
  readonly #sockets: Sockets;
  readonly #ask: AskAuthority;
  readonly #kept: KeptCertificates;
  readonly #ends: (() => void)[] = [];
  /** Changes of one workload come one after the other. */
  readonly #changes = new Map<string, Promise<unknown>>();
  #rootsText: string | undefined;
  /** What citadel said last: only citadel takes a root of it away again, or requests fail until it is heard anew. */
  #said: readonly string[] | undefined;
  #restartFeed: () => void = () => undefined;
  /** Whether the feed was opened with a certificate. */
  #isFeedProved = false;

  constructor(private readonly options: AgentOptions) {
    const { trustDomain, later, logger, metrics, now, records = noRecords } = options;
    const onWarning = (message: string): void => void logger.warn(message, 'sds');
    this.#sockets = new Sockets({ trustDomain, events: this.#events(onWarning), onWarning });
    this.#trust = new Trust({
      trustDomain,
      aliases: options.trustDomainAliases,
      isAwaited: () => [rootSecretName, ownRootSecretName].some((name) => this.#sockets.isAwaited(name)),
      onTrusted: () => {
        for (const { certificate } of this.#workloads.values()) certificate.rootsChanged();
      },
      later,
    });
    this.#ask = options.authority(() => this.#trust.own());
    this.#kept = new KeptCertificates(records);
    metrics.expiries(() =>
      [...this.#workloads.values()].flatMap(({ name, certificate }) =>
        certificate.held ? [{ workload: name, seconds: (certificate.held.notAfter - now()) / 1000 }] : [],
      ),
    );
  }

  /** Serves the sockets, then asks for certificates. @throws Error when a socket cannot be had */
  async start(): Promise<void> {
    const { watchFile, rootCertFile, federatedBundleFiles = new Map<string, string>() } = this.options;
    this.#ends.push(watchFile(rootCertFile, (text) => this.#readRoots(text)));
    for (const [domain, file] of federatedBundleFiles)
      this.#ends.push(watchFile(file, (text) => this.#readFederated(domain, file, text)));
    const workloads = this.options.workloads.map((workload) => this.#make(workload));
    for (const workload of workloads) this.#workloads.set(workload.name, workload);
    for (const [socket, users] of groupBySocket(workloads)) await this.#sockets.open(socket, users);
    for (const workload of workloads) workload.start();
    this.#follow();
  }

  stop(): void {
    for (const workload of this.#workloads.values()) workload.stop();
    for (const end of this.#ends.splice(0)) end();
    this.#trust.stop();
    this.#sockets.close();
  }

  /**
   * From now on serves this workload too, on a socket of its own; one of the same name is replaced, an equal one stays.
   * @throws RangeError when a name cannot be part of an identity
   * @throws Error when the socket cannot be had
   */
  async put(options: WorkloadArguments, terms?: WorkloadTerms): Promise<void> {
    await this.#inTurn(options.name, async () => {
      const there = this.#workloads.get(options.name);
      if (there && isDeepStrictEqual(there.options, options)) return;
      const workload = this.#make(options, terms);
      // What is there goes on where the new one cannot be served.
      const isMoving = there?.options.socket !== options.socket;
      if (there && !isMoving) await this.#drop(there);
      await this.#sockets.open(options.socket, [workload]);
      if (there && isMoving) await this.#drop(there);
      this.#workloads.set(options.name, workload);
      workload.start();
    });
  }

  /** Ends the workload's streams and forgets it. @returns whether it was there */
  async remove(name: string): Promise<boolean> {
    return await this.#inTurn(name, async () => {
      const workload = this.#workloads.get(name);
      if (!workload) return false;
      await this.#drop(workload);
      this.#kept.forget(name);
      return true;
    });
  }

  /** The workloads whose Envoys are known here, for their metrics. */
  metricsTargets(): readonly MetricsTarget[] {
    return [...this.#workloads.values()].flatMap(({ options: { name, namespace, envoy, scrape } }) => {
      if (envoy === undefined) return [];
      const admin = `http://${envoy}`;
      const application = scrape === undefined ? undefined : `http://${scrape}`;
      return [
        {
          name,
          namespace,
          labels: { serverInfo: `${admin}/server_info` },
          envoy: `${admin}/stats/prometheus`,
          application,
        },
      ];
    });
  }

  /** A workload's token as it came, from elsewhere than a file. @returns whether there is such a workload */
  takeToken(name: string, token: string): boolean {
    this.#workloads.get(name)?.takeToken(token);
    return this.#workloads.has(name);
  }

  workloads(): readonly WorkloadState[] {
    return [...this.#workloads.values()].map(({ options, certificate }) => ({
      name: options.name,
      namespace: options.namespace,
      serviceAccount: options.serviceAccount,
      socket: options.socket,
      notAfter: certificate.isInForce ? certificate.held?.notAfter : undefined,
    }));
  }

  /** Workloads without a certificate in force. */
  waiting(): readonly string[] {
    return this.workloads()
      .filter(({ notAfter }) => notAfter === undefined)
      .map(({ name }) => name);
  }

  #make(options: WorkloadArguments, terms?: WorkloadTerms): Workload {
    const { trustDomain, keyType, watchFile, logger, metrics, now, random, later } = this.options;
    const context = {
      ...{ trustDomain, keyType, watchFile, logger, metrics, now, random, later },
      ask: this.#ask,
      bundles: () => this.#trust.own(),
      roots: this.#trust.board,
      kept: this.#kept,
      isAlone: () => this.#workloads.size <= 1,
      onCertified: () => this.#certified(),
    };
    return new Workload(options, context, terms);
  }

  async #drop(workload: Workload): Promise<void> {
    workload.stop();
    this.#workloads.delete(workload.name);
    await this.#sockets.leave(workload);
  }

  async #inTurn<T>(name: string, change: () => Promise<T>): Promise<T> {
    const before = this.#changes.get(name) ?? Promise.resolve();
    const mine = before.then(change, change);
    this.#changes.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.#changes.get(name) === mine) this.#changes.delete(name);
    }
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

  #readRoots(text: string | undefined): void {
    const { logger, rootCertFile } = this.options;
    const read = text === undefined ? { error: 'is not there' } : readTrustedRoots(text);
    if ('error' in read) {
      const kept = this.#trust.own().size > 0 ? '; the roots that were there are kept' : '';
      logger.warn(`the file of roots ${rootCertFile} ${read.error}${kept}`, 'roots');
      return;
    }
    const isFirst = this.#rootsText === undefined;
    this.#rootsText = text;
    if (isFirst) this.#said = this.#pushedBefore();
    if (isFirst && this.#said) this.#trustNow(this.#said, 'as citadel said last');
    else this.#trustNow(this.#said ? union(this.#said, read.roots) : read.roots, 'by the file of roots');
    // What the file says now decides which citadel is asked.
    if (!isFirst) this.#restartFeed();
  }

  #trustNow(roots: readonly string[], source: string, others?: TrustBundles): void {
    if (!this.#trust.replace(roots, others)) return;
    const more = others && others.size > 0 ? `, and those of ${[...others.keys()].join(', ')}` : '';
    this.options.logger.log(`${roots.length} roots are trusted now, ${source}${more}`, 'roots');
  }

  #readFederated(domain: string, file: string, text: string | undefined): void {
    const { logger } = this.options;
    const read =
      text === undefined
        ? { error: 'is not there' }
        : text.trimStart().startsWith('{')
          ? parseBundle(text)
          : readTrustedRoots(text);
    if ('error' in read) logger.warn(`the roots of ${domain} in ${file}: ${read.error}`, 'roots');
    else if (this.#trust.replaceFromFile(domain, read.roots))
      logger.log(`${read.roots.length} roots of ${domain} are trusted now`, 'roots');
  }

  /** Hears from citadel what is trusted; the file is what citadel itself is known by at first. */
  #follow(): void {
    const { bundleFeed, logger, trustDomain, records = noRecords } = this.options;
    if (!bundleFeed) return;
    const feed = bundleFeed({
      bundles: () => this.#trust.own(),
      proof: () => {
        const proof = this.#anyProof();
        this.#isFeedProved = proof !== undefined;
        return proof;
      },
      onBundles: (bundles, onDelivered) => {
        const own = bundles.get(trustDomain);
        if (!own) return `the bundles have no roots of ${trustDomain}`;
        this.#said = own;
        const others = new Map([...bundles].filter(([domain]) => domain !== trustDomain));
        this.#trustNow(own, 'as citadel says', others);
        records.put('bundles', trustDomain, { file: this.#rootsText, roots: own });
        this.#trust.whenDelivered(onDelivered);
        return undefined;
      },
      onTrouble: (message) => void logger.warn(message, 'roots'),
    });
    this.#restartFeed = () => feed.restart();
    this.#ends.push(() => feed.stop());
  }

  /** What citadel said last, where the file of roots is still the one of then: that file may be older than a rotation. */
  #pushedBefore(): readonly string[] | undefined {
    const { records = noRecords, trustDomain } = this.options;
    const record = records.get('bundles', trustDomain) as
      { readonly file?: unknown; readonly roots?: unknown } | undefined;
    if (!record || record.file !== this.#rootsText || !Array.isArray(record.roots)) return undefined;
    const roots = record.roots as readonly unknown[];
    const read = readTrustedRoots(roots.join(''));
    return 'error' in read ? undefined : read.roots;
  }

  /** A feed that began before there was a certificate begins anew: a rotation waits for those only who have shown one. */
  #certified(): void {
    if (!this.#isFeedProved) this.#restartFeed();
  }

  /** For a citadel that tells nothing to strangers, and counts the word of those only whom it knows. */
  #anyProof(): CertificateProof | undefined {
    for (const { certificate } of this.#workloads.values()) {
      const proof = certificate.proof();
      if (proof) return proof;
    }
    return undefined;
  }
}

function union(one: readonly string[], other: readonly string[]): readonly string[] {
  return [...new Set([...one, ...other])];
}

function groupBySocket(workloads: readonly Workload[]): ReadonlyMap<string, readonly Workload[]> {
  const groups = new Map<string, Workload[]>();
  for (const workload of workloads) {
    const { socket } = workload.options;
    groups.set(socket, [...(groups.get(socket) ?? []), workload]);
  }
  return groups;
}
