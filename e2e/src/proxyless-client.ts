import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { repositoryRoot } from './repository.js';

export interface CallCounts {
  readonly counts: Readonly<Record<string, number>>;
  readonly failed: number;
  /** The first failure's message. */
  readonly error: string;
}

/** A process with @grpc/grpc-js-xds in it, which reads its bootstrap once and for all. */
export class ProxylessClient {
  readonly #child;
  readonly #answers: AsyncIterator<string>;
  #errors = '';

  /** @param target `xds:///greeter.default.svc.cluster.local:7070` */
  constructor(folder: string, xdsPort: number, target: string) {
    const bootstrapFile = path.join(folder, 'proxyless.bootstrap.json');
    const server = { server_uri: `127.0.0.1:${xdsPort}`, channel_creds: [{ type: 'insecure' }] };
    const node = { id: 'proxyless-1', locality: {}, metadata: { NAMESPACE: 'default', GENERATOR: 'grpc' } };
    fs.writeFileSync(
      bootstrapFile,
      JSON.stringify({ xds_servers: [{ ...server, server_features: ['xds_v3'] }], node }),
    );
    const program = path.join(repositoryRoot, 'e2e/fixtures/proxyless-client.mjs');
    this.#child = spawn(process.execPath, [program, target], {
      env: { ...process.env, GRPC_XDS_BOOTSTRAP: bootstrapFile },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child.stderr.on('data', (data: Buffer) => (this.#errors += data.toString()));
    this.#answers = readline.createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Makes so many calls, one after another. */
  async call(count: number): Promise<CallCounts> {
    this.#child.stdin.write(`${count}\n`);
    const answer = await this.#answers.next();
    if (answer.done === true) throw new Error(`the client ended: ${this.#errors}`);
    return JSON.parse(answer.value) as CallCounts;
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
