import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { TestProcess } from './child-process.js';
import { freePort } from './loopback.js';

const run = promisify(execFile);
const version = '0.70.0';
const isProgram = (file: string): boolean => fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;

/**
 * Path of Open Policy Agent: the one that SEINE_OPA names, on the PATH, or built by Go from its public module into the
 * user's cache, which takes minutes the first time.
 * @throws (rejects) Error that says what to install where none of these is to be had
 */
export async function opaProgram(): Promise<string> {
  const named = process.env['SEINE_OPA'];
  if (named) {
    if (!isProgram(named)) throw new Error(`SEINE_OPA: ${named} is no program`);
    return path.resolve(named);
  }
  const onPath = (process.env['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, 'opa'));
  const found = onPath.find(isProgram);
  if (found !== undefined) return found;
  const cache = path.join(process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'seine', 'opa');
  const built = path.join(cache, version, 'opa');
  if (!isProgram(built)) await build(built);
  return built;
}

async function build(to: string): Promise<void> {
  const folder = `${path.dirname(to)}.${randomBytes(6).toString('hex')}`;
  const module = `github.com/open-policy-agent/opa@v${version}`;
  try {
    await run('go', ['install', '-ldflags', '-s -w', module], { env: { ...process.env, GOBIN: folder } });
    fs.mkdirSync(path.dirname(to), { recursive: true });
    // Another run may have been first; what it made is the same.
    fs.renameSync(path.join(folder, 'opa'), to);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`no opa on the PATH, and Go cannot build it: ${reason}\ninstall opa or Go, or set SEINE_OPA`, {
      cause: error,
    });
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** A real Open Policy Agent that has no policy but what it is given. */
export class OpaServer {
  #process: TestProcess | undefined;

  private constructor(private readonly port: number) {}

  static async start(): Promise<OpaServer> {
    const server = new OpaServer(await freePort());
    await server.start();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const started = new TestProcess('opa', await opaProgram(), ['run', '--server', '--addr', `127.0.0.1:${this.port}`]);
    this.#process = started;
    await started.until(() => this.#isReady(), 'ready');
  }

  async stop(): Promise<void> {
    await this.#process?.stop('SIGKILL');
  }

  async #isReady(): Promise<boolean> {
    const answer = await fetch(`${this.url}/health`).catch(() => undefined);
    return answer?.ok === true;
  }
}
