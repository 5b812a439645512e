import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { poll } from '@seine/testing';
import { TestProcess } from './child-process.js';
import { debianPackage } from './debian-package.js';
import { freePort } from './loopback.js';

const run = promisify(execFile);

const version = '3.6.1';
const digest = 'd8326e0ed4f43855dba81228f688554706e52578a7c782d9a90b73f8680654a1';
const jarName = `zipkin-server-${version}-exec.jar`;
const artifact = `io.zipkin:zipkin-server:${version}:jar:exec`;
const copyPlugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.0:copy';
const central = `https://repo1.maven.org/maven2/io/zipkin/zipkin-server/${version}/${jarName}`;
const host = '127.0.0.1';

/** A span in Zipkin's JSON of version 2. */
export interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly kind?: 'CLIENT' | 'SERVER' | 'PRODUCER' | 'CONSUMER';
  readonly name?: string;
  /** Microseconds since 1970. */
  readonly timestamp?: number;
  /** Microseconds. */
  readonly duration?: number;
  readonly localEndpoint?: { readonly serviceName?: string };
  readonly tags?: Readonly<Record<string, string>>;
}

/** The real Zipkin server, which keeps its spans in memory. */
export class Zipkin {
  private constructor(
    readonly port: number,
    readonly process: TestProcess,
  ) {}

  static async start(): Promise<Zipkin> {
    const [jar, java, port] = await Promise.all([zipkinJar(), javaProgram(), freePort()]);
    const settings = [`--server.port=${port}`, '--zipkin.self-tracing.enabled=false'];
    const process = new TestProcess('zipkin', java, ['-Xmx256m', '-jar', jar, ...settings]);
    const zipkin = new Zipkin(port, process);
    await process.until(
      async () => (await fetch(`${zipkin.url}/health`).catch(() => undefined))?.ok ?? false,
      'ready',
      180_000,
    );
    return zipkin;
  }

  get url(): string {
    return `http://${host}:${this.port}`;
  }

  /** Traces of which a span has a tag. */
  async tracesOfTag(tag: string, value: string): Promise<readonly (readonly ZipkinSpan[])[]> {
    const query = new URLSearchParams({ annotationQuery: `${tag}=${value}`, limit: '1000' });
    const response = await fetch(`${this.url}/api/v2/traces?${query.toString()}`);
    if (!response.ok) throw new Error(`zipkin answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as ZipkinSpan[][];
  }

  /** Waits until the one trace of a tag has so many spans: proxies send them a little later. */
  async traceOfTag(tag: string, value: string, spans: number): Promise<readonly ZipkinSpan[]> {
    const read = async () => (await this.tracesOfTag(tag, value))[0] ?? [];
    await poll(async () => (await read()).length >= spans, `${spans} spans with ${tag}=${value}`, 60_000);
    return await read();
  }

  async stop(): Promise<void> {
    await this.process.stop('SIGKILL');
  }
}

/** SEINE_ZIPKIN_JAR, or from the user's cache, which Maven fills, or where there is no Maven, its central repository. */
export async function zipkinJar(): Promise<string> {
  const named = process.env['SEINE_ZIPKIN_JAR'];
  if (named) return path.resolve(named);
  const cache = path.join(process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'seine', 'zipkin');
  const jar = path.join(cache, jarName);
  if (fs.existsSync(jar)) return jar;
  const mine = path.join(cache, randomBytes(6).toString('hex'));
  fs.mkdirSync(mine, { recursive: true });
  try {
    const fetched = path.join(mine, jarName);
    if (findOnPath('mvn'))
      await run('mvn', ['-B', '-q', copyPlugin, `-Dartifact=${artifact}`, `-DoutputDirectory=${mine}`]);
    else await download(central, fetched);
    const found = createHash('sha256')
      .update(await readFile(fetched))
      .digest('hex');
    if (found !== digest) throw new Error(`${jarName} has the digest ${found}, not ${digest}`);
    fs.renameSync(fetched, jar);
    return jar;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`no Zipkin server: ${reason}\ngive its ${jarName} in SEINE_ZIPKIN_JAR`, { cause: error });
  } finally {
    fs.rmSync(mine, { recursive: true, force: true });
  }
}

async function download(url: string, file: string): Promise<void> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  await writeFile(file, Buffer.from(await response.arrayBuffer()));
}

function findOnPath(program: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return folders.map((folder) => path.join(folder, program)).find((file) => fs.existsSync(file));
}

/** Java of JAVA_HOME, of the PATH, or of Debian's package. */
export async function javaProgram(): Promise<string> {
  const home = process.env['JAVA_HOME'];
  const installed = home ? path.join(home, 'bin', 'java') : findOnPath('java');
  if (installed) return installed;
  const folder = await debianPackage('openjdk-17-jre-headless');
  const machines = path.join(folder, 'usr/lib/jvm');
  const machine = fs.readdirSync(machines).find((name) => fs.existsSync(path.join(machines, name, 'bin/java')));
  if (!machine) throw new Error(`no Java in ${machines}: install one, or set JAVA_HOME`);
  relinkSettings(path.join(machines, machine), folder);
  return path.join(machines, machine, 'bin/java');
}

/** Debian's Java finds its settings by links to /etc, which an unpacked package has in its own folder. */
function relinkSettings(machine: string, unpacked: string): void {
  for (const entry of fs.readdirSync(machine, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue;
    const link = path.join(entry.parentPath, entry.name);
    const target = fs.readlinkSync(link);
    if (!target.startsWith('/etc/')) continue;
    const draft = `${link}.${randomBytes(6).toString('hex')}`;
    fs.symlinkSync(path.join(unpacked, target), draft);
    fs.renameSync(draft, link);
  }
}
