import fs from 'node:fs';
import path from 'node:path';
import { formatWorkloadId } from '@seine/ca';
import { TestProcess } from './child-process.js';
import { request } from './http-request.js';
import { freePort } from './loopback.js';
import { repositoryRoot } from './repository.js';
import { ServiceAccountIssuer } from './service-account-issuer.js';
import { SpiffeAuthority } from './spiffe-authority.js';

const host = '127.0.0.1';

export interface IdentityOptions {
  /** Seconds for which certificates of workloads live; default citadel's 24 hours. */
  readonly ttl?: number;
  readonly trustDomain?: string;
  /** Other names of the trust domain, as the mesh config of the test has or will have them. */
  readonly trustDomainAliases?: readonly string[];
  /** Whether Envoys reach pilot by mutual TLS alone, or in plain text; default true. */
  readonly secureXds?: boolean;
  /** Further arguments of citadel. */
  readonly citadelArguments?: readonly string[];
}

const pilotAccount = { namespace: 'istio-system', serviceAccount: 'pilot' };

/** Whose certificates the agent keeps: one Envoy with a socket of its own. */
export interface IdentifiedWorkload {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** `host:port/path` where its application has metrics. */
  readonly scrape?: string | undefined;
}

/** Who says who is who in a mesh: a citadel on a root of the test's own, and one agent for all of its Envoys. */
export class MeshIdentity {
  readonly #workloads: IdentifiedWorkload[] = [];
  readonly #envoyAdmins = new Map<string, number>();
  #citadel: TestProcess | undefined;
  #agent: TestProcess | undefined;

  private constructor(
    private readonly folder: string,
    /** Citadel's root: it issues what citadel would not, too. */
    readonly authority: SpiffeAuthority,
    /** Whose tokens prove service accounts. */
    readonly issuer: ServiceAccountIssuer,
    private readonly options: IdentityOptions,
    private readonly ports: { readonly citadel: number; readonly citadelAdmin: number; readonly agentAdmin: number },
  ) {}

  /** Makes the root, and starts nothing yet. */
  static async prepare(folder: string, options: IdentityOptions = {}): Promise<MeshIdentity> {
    const authority = await SpiffeAuthority.make(options.trustDomain);
    const ports = { citadel: await freePort(), citadelAdmin: await freePort(), agentAdmin: await freePort() };
    const identity = new MeshIdentity(folder, authority, await ServiceAccountIssuer.listen(), options, ports);
    authority.write(identity.cacertsDir);
    identity.trust(authority.roots);
    return identity;
  }

  get citadel(): TestProcess {
    return running(this.#citadel, 'citadel');
  }

  get agent(): TestProcess {
    return running(this.#agent, 'agent');
  }

  /** `host:port` of the certificate API. */
  get citadelAddress(): string {
    return `${host}:${this.ports.citadel}`;
  }

  /** `host:port` of its admin port. */
  get citadelAdmin(): string {
    return `${host}:${this.ports.citadelAdmin}`;
  }

  /** What citadel signs with, under Istio's names. */
  get cacertsDir(): string {
    return path.join(this.folder, 'cacerts');
  }

  /** The file by which the agent knows citadel, and the workloads each other. */
  get rootsFile(): string {
    return path.join(this.folder, 'roots.pem');
  }

  get stateDir(): string {
    return path.join(this.folder, 'citadel');
  }

  /** What Envoys expect of pilot; undefined where they speak plain text to it. */
  get pilotId(): string | undefined {
    if (this.options.secureXds === false) return undefined;
    return formatWorkloadId({ trustDomain: this.authority.trustDomain, ...pilotAccount });
  }

  /** Arguments by which a pilot gets its identity. */
  pilotArguments(): readonly string[] {
    if (this.pilotId === undefined) return [];
    const { ttl = 0 } = this.options;
    const tokenFile = this.tokenFile(pilotAccount.namespace, pilotAccount.serviceAccount);
    return [
      ...['--citadel', this.citadelAddress, '--root-cert', this.rootsFile, '--token-file', tokenFile],
      ...['--trust-domain', this.authority.trustDomain, '--ttl', String(ttl)],
      ...['--citadel-admin', `http://${this.citadelAdmin}`],
    ];
  }

  socketOf(name: string): string {
    return path.join(this.folder, 'sds', name, 'socket');
  }

  /** Gives the agent these roots. @param roots PEM */
  trust(roots: string): void {
    const draft = `${this.rootsFile}.draft`;
    fs.writeFileSync(draft, roots);
    fs.renameSync(draft, this.rootsFile);
  }

  /** A token file by which citadel believes a service account. @returns its path */
  tokenFile(namespace: string, serviceAccount: string): string {
    const file = path.join(this.folder, `${namespace}.${serviceAccount}.token`);
    fs.writeFileSync(file, this.issuer.token(namespace, serviceAccount), { mode: 0o600 });
    return file;
  }

  /** Starts citadel on the place it always has, and waits until it signs. */
  async startCitadel(): Promise<TestProcess> {
    const { citadel, citadelAdmin } = this.ports;
    const { citadelArguments = [] } = this.options;
    this.#citadel = program('citadel', [
      ...['--state', this.stateDir, '--cacerts', this.cacertsDir],
      ...['--listen', `${host}:${citadel}`, '--admin', `${host}:${citadelAdmin}`],
      ...['--oidc-issuer', this.issuer.issuer, '--oidc-jwks', this.issuer.keysUrl],
      ...['--trust-domain', this.authority.trustDomain, ...citadelArguments],
    ]);
    await untilReady(this.#citadel);
    return this.#citadel;
  }

  /** From its next start on, the agent keeps certificates of this one. */
  enroll({ name, namespace, serviceAccount, scrape }: IdentifiedWorkload): void {
    this.#workloads.push({ name, namespace, serviceAccount, scrape });
  }

  /** The port on which the agent expects the admin interface of a workload's Envoy; undefined before the agent's start. */
  envoyAdminOf(name: string): number | undefined {
    return this.#envoyAdmins.get(name);
  }

  /** `host:port` of the agent's admin port, with the metrics of its workloads. */
  get agentAdmin(): string {
    return `${host}:${this.ports.agentAdmin}`;
  }

  /** Starts the agent, and waits until its sockets are served. */
  async startAgent(): Promise<TestProcess> {
    const { ttl = 0, trustDomainAliases = [] } = this.options;
    for (const { name } of this.#workloads)
      if (!this.#envoyAdmins.has(name)) this.#envoyAdmins.set(name, await freePort());
    const entries = this.#workloads.flatMap(({ name, namespace, serviceAccount, scrape }) => {
      const files = `token-file=${this.tokenFile(namespace, serviceAccount)},socket=${this.socketOf(name)}`;
      const metrics = `envoy=${host}:${this.envoyAdminOf(name) ?? 0}${scrape === undefined ? '' : `,scrape=${scrape}`}`;
      return ['--workload', `${name}=${namespace}/${serviceAccount},${files},${metrics}`];
    });
    this.#agent = program('agent', [
      ...['--citadel', this.citadelAddress, '--root-cert', this.rootsFile],
      ...['--trust-domain', this.authority.trustDomain, '--ttl', String(ttl)],
      ...trustDomainAliases.flatMap((alias) => ['--trust-domain-alias', alias]),
      ...['--admin', `${host}:${this.ports.agentAdmin}`, ...entries],
    ]);
    await untilReady(this.#agent);
    return this.#agent;
  }

  /** Waits until the agent has a certificate in force for each workload. */
  async untilCertified(): Promise<void> {
    await this.agent.until(async () => (await this.#agentStatus()) === 200, 'certified');
  }

  async stop(): Promise<void> {
    await Promise.all([this.#agent?.stop('SIGKILL'), this.#citadel?.stop('SIGKILL'), this.issuer.close()]);
  }

  async #agentStatus(): Promise<number> {
    const { status } = await request(host, this.ports.agentAdmin, '/ready');
    return status;
  }
}

function running(process: TestProcess | undefined, name: string): TestProcess {
  if (!process) throw new Error(`the mesh has no ${name}`);
  return process;
}

function program(app: 'agent' | 'citadel', args: readonly string[]): TestProcess {
  const main = path.join(repositoryRoot, `apps/${app}/dist/main.js`);
  return new TestProcess(app, process.execPath, [main, ...args], { cwd: repositoryRoot });
}

async function untilReady(started: TestProcess): Promise<void> {
  await started.until(() => /^ready$/m.test(started.output), 'ready');
}
