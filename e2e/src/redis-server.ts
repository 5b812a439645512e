import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { TestProcess } from './child-process.js';
import { debianProgram } from './debian-package.js';
import { freePort } from './loopback.js';

const host = '127.0.0.1';

export interface RedisServerOptions {
  /** Lines of redis.conf besides those of every test: `requirepass …`, `user …` */
  readonly settings?: readonly string[] | undefined;
  /** What the test itself connects with, besides the address. */
  readonly client?: RedisOptions | undefined;
  /** It takes TLS instead of plain text, as `localhost`: files, PEM. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string } | undefined;
  /** It is a Sentinel that watches this server under the name `mymaster`. */
  readonly sentinelOf?: RedisServer | undefined;
}

/** A real redis-server that keeps nothing on disk. It may be killed and started again on its port, empty. */
export class RedisServer {
  #process: TestProcess | undefined;
  #client: Redis | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly options: RedisServerOptions,
  ) {}

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-redis-'));
    const server = new RedisServer(await freePort(), folder, options);
    await server.start();
    return server;
  }

  get address(): string {
    return `${host}:${this.port}`;
  }

  get url(): string {
    return this.options.tls ? `rediss://localhost:${this.port}` : `redis://${this.address}`;
  }

  /** A connection of the test's own, beside those of what is tested. */
  get client(): Redis {
    return (this.#client ??= new Redis({ disconnectTimeout: 100, ...this.options.client, host, port: this.port }));
  }

  async start(): Promise<void> {
    const config = path.join(this.folder, 'redis.conf');
    fs.writeFileSync(config, this.#config());
    const program = await debianProgram({ package: 'redis-server', program: 'redis-server' });
    const args = this.options.sentinelOf ? [config, '--sentinel'] : [config];
    this.#process = new TestProcess('redis-server', program, args);
    await this.#process.until(
      () => /Ready to accept connections|\+monitor/.test(this.#process?.output ?? ''),
      'ready to accept connections',
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.signal(signal);
  }

  async kill(): Promise<void> {
    await this.#process?.stop('SIGKILL');
  }

  async stop(): Promise<void> {
    this.#client?.disconnect();
    // One that was stopped by SIGSTOP ends by no other signal.
    await this.kill();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  #config(): string {
    const { settings = [], tls, sentinelOf } = this.options;
    const port = tls
      ? [
          'port 0',
          `tls-port ${this.port}`,
          `tls-ca-cert-file ${tls.ca}`,
          `tls-cert-file ${tls.cert}`,
          `tls-key-file ${tls.key}`,
        ]
      : [`port ${this.port}`];
    const keeps = sentinelOf ? sentinelSettings(sentinelOf) : ['save ""', 'appendonly no'];
    return [`bind ${host}`, `dir ${this.folder}`, ...port, ...keeps, ...settings].map((line) => `${line}\n`).join('');
  }
}

/** One Sentinel alone decides, and soon. */
function sentinelSettings({ port }: RedisServer): readonly string[] {
  return [
    `sentinel monitor mymaster ${host} ${port} 1`,
    'sentinel down-after-milliseconds mymaster 500',
    'sentinel failover-timeout mymaster 2000',
  ];
}
