import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { splitCertificates } from '@seine/ca';
import { EchoServer, envoyBinary, freePort, repositoryRoot, request, TestProcess } from '../../src/index.js';
import { plainEnvoy, type PlainEnvoyOptions, type Ports } from './plain-envoy.js';

export const host = '127.0.0.1';
export const idOf = (account: string, trustDomain = 'cluster.local') =>
  `spiffe://${trustDomain}/ns/default/sa/${account}`;

export interface Leaf {
  readonly serial_number: string;
  readonly expiration_time: string;
}

interface Certs {
  readonly certificates?: readonly {
    readonly cert_chain?: readonly Leaf[];
  }[];
}

interface SecretEntry {
  readonly secret?: {
    readonly validation_context?: {
      readonly custom_validator_config?: {
        readonly typed_config?: {
          readonly trust_domains?: readonly { readonly trust_bundle: { readonly inline_bytes: string } }[];
        };
      };
    };
  };
}

/**
 * Citadel, agents and plain Envoys, without a pilot: client → server over mTLS → echo. An OpenID provider, as far as
 * citadel asks one, proves the workloads.
 */
export class IdentityLab {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-identity-'));
  /** By what agents know citadel at first; nobody follows citadel's own file. */
  readonly rootFile = path.join(this.folder, 'root-cert.pem');
  readonly #provider = generateKeyPairSync('rsa', { modulusLength: 2048 });
  readonly #jwks = http.createServer((_, response) => {
    const key = { ...this.#provider.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256' };
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key] }));
  });
  readonly #running: TestProcess[] = [];

  private constructor(
    readonly citadelPort: number,
    readonly citadelAdmin: number,
    readonly ports: Ports,
    readonly echo: EchoServer,
  ) {}

  static async start(): Promise<IdentityLab> {
    const echo = await EchoServer.listen('echo', host, 0);
    const lab = new IdentityLab(await freePort(), await freePort(), await freePorts(), echo);
    await new Promise<void>((resolve) => lab.#jwks.listen(0, host, resolve));
    return lab;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map((started) => started.stop('SIGKILL')));
    await this.echo.close();
    this.#jwks.close();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  at(...parts: readonly string[]): string {
    return path.join(this.folder, ...parts);
  }

  readonly socketOf = (account: string) => this.at(account, 'socket');
  readonly tokenFileOf = (workload: string) => this.at(`${workload}.token`);

  /** A platform's token of a service account. */
  tokenOf(account: string, podUid?: string): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = {
      iss: 'https://provider',
      aud: 'istio-ca',
      sub: `system:serviceaccount:default:${account}`,
      exp: Math.floor(Date.now() / 1000) + 3600,
      ...(podUid !== undefined && { 'kubernetes.io': { pod: { uid: podUid } } }),
    };
    const text = `${part({ alg: 'RS256', kid: 'one' })}.${part(claims)}`;
    return `${text}.${sign('sha256', Buffer.from(text), this.#provider.privateKey).toString('base64url')}`;
  }

  /** @returns the program as it is, without waiting for anything */
  run(name: string, command: string, args: readonly string[]): TestProcess {
    const started = new TestProcess(name, command, args);
    this.#running.push(started);
    return started;
  }

  async program(app: 'agent' | 'citadel', args: readonly string[], admin?: number): Promise<TestProcess> {
    const main = path.join(repositoryRoot, `apps/${app}/dist/main.js`);
    const adminPort = admin ?? (await freePort());
    const started = this.run(app, process.execPath, [main, ...args, '--admin', `${host}:${adminPort}`]);
    await started.until(() => /^ready$/m.test(started.output), 'ready');
    return started;
  }

  async startCitadel(more: readonly string[] = []): Promise<TestProcess> {
    const { port } = this.#jwks.address() as AddressInfo;
    const oidc = ['--oidc-issuer', 'https://provider', '--oidc-jwks', `http://${host}:${port}/`];
    const limits = ['--limit-per-identity', '1000,1000', '--rotation-wait', '1'];
    const serve = ['--state', this.at('citadel'), '--listen', `${host}:${this.citadelPort}`];
    const citadel = await this.program('citadel', [...serve, ...oidc, ...limits, ...more], this.citadelAdmin);
    if (!fs.existsSync(this.rootFile)) this.publishRoots();
    return citadel;
  }

  /** Gives agents the roots of today as a file. */
  publishRoots(): void {
    fs.copyFileSync(this.at('citadel/ca/root-cert.pem'), this.rootFile);
  }

  /** An agent for these workloads: name → account, with a socket each. */
  async startAgent(workloads: Readonly<Record<string, string>>, more: readonly string[] = []): Promise<TestProcess> {
    const flags = Object.entries(workloads).flatMap(([name, account]) => {
      fs.writeFileSync(this.tokenFileOf(name), this.tokenOf(account));
      return [
        '--workload',
        `${name}=default/${account},token-file=${this.tokenFileOf(name)},socket=${this.socketOf(name)}`,
      ];
    });
    return await this.program('agent', [...this.citadelFlags, ...flags, ...more]);
  }

  get citadelFlags(): readonly string[] {
    return ['--citadel', `${host}:${this.citadelPort}`, '--root-cert', this.rootFile];
  }

  async startEnvoy(name: 'client' | 'server', change: Partial<PlainEnvoyOptions> = {}): Promise<TestProcess> {
    const peer = idOf(name === 'client' ? 'server' : 'client');
    const options = { ports: this.ports, peer, socket: this.socketOf(name), echoPort: this.echo.port, ...change };
    const file = this.at(`${name}-${this.#running.length}.json`);
    fs.writeFileSync(file, JSON.stringify(plainEnvoy(name, options)));
    const args = ['-c', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'warning'];
    return this.run(name, await envoyBinary(), args);
  }

  async call(port = this.ports.client) {
    return await request(host, port, '/');
  }

  /** No answer at all counts as none of 200, too. */
  async succeeds(port = this.ports.client): Promise<boolean> {
    return await this.call(port).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  /** Whom the server saw, by its own account. */
  async seenAs(port = this.ports.client): Promise<string | undefined> {
    const { body } = await this.call(port);
    const { headers } = JSON.parse(body) as { readonly headers: Readonly<Record<string, string>> };
    return headers['x-forwarded-client-cert'];
  }
}

/** An authority that nobody knows yet: `ca-cert.pem` and `ca-key.pem` in a new folder. */
export function makeAuthority(folder: string): void {
  fs.mkdirSync(folder, { recursive: true });
  const [key, cert] = [path.join(folder, 'ca-key.pem'), path.join(folder, 'ca-cert.pem')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const use = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  execFileSync('openssl', [...request, '-subj', '/O=other', ...use, '-keyout', key, '-out', cert], { stdio: 'pipe' });
}

export async function freePorts(): Promise<Ports> {
  const [client, wrong, server] = [await freePort(), await freePort(), await freePort()];
  return { client, wrong, server, clientAdmin: await freePort(), serverAdmin: await freePort() };
}

/** The certificates that an Envoy has in use, without what signed them. */
export async function leaves(adminPort: number): Promise<readonly Leaf[]> {
  const { certificates = [] } = await certs(adminPort);
  return certificates.flatMap(({ cert_chain: chain = [] }) => chain.slice(0, 1));
}

/** Serial numbers of the roots by which an Envoy judges others. Of several, its `/certs` tells the first alone. */
export async function rootSerials(adminPort: number): Promise<ReadonlySet<string>> {
  const { body } = await request(host, adminPort, '/config_dump?resource=dynamic_active_secrets');
  const { configs = [] } = JSON.parse(body) as { readonly configs?: readonly SecretEntry[] };
  const domains = configs.flatMap(
    ({ secret }) => secret?.validation_context?.custom_validator_config?.typed_config?.trust_domains ?? [],
  );
  const roots = domains.flatMap(({ trust_bundle: { inline_bytes: bytes } }) =>
    splitCertificates(Buffer.from(bytes, 'base64').toString()),
  );
  return new Set(roots.map((root) => new X509Certificate(root).serialNumber.toLowerCase()));
}

async function certs(adminPort: number): Promise<Certs> {
  const { body } = await request(host, adminPort, '/certs');
  return JSON.parse(body) as Certs;
}

export async function serials(adminPort: number): Promise<readonly string[]> {
  return (await leaves(adminPort)).map((leaf) => leaf.serial_number);
}

/** Counters whose names match, without those that are zero. */
export async function counted(adminPort: number, pattern: RegExp): Promise<Readonly<Record<string, number>>> {
  const { body } = await request(host, adminPort, '/stats?usedonly');
  const lines = body.split('\n').map((line) => line.split(': '));
  return Object.fromEntries(
    lines.flatMap(([name = '', value]) => (pattern.test(name) && Number(value) !== 0 ? [[name, Number(value)]] : [])),
  );
}

export async function fetchable(port: number): Promise<boolean> {
  return await request(host, port, '/').then(
    () => true,
    () => false,
  );
}
