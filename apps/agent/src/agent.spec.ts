import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  certificateApiServer,
  CitadelModule,
  type CitadelService,
  openCitadel,
  parseArguments as parseCitadelArguments,
} from '@seine/app-citadel';
import { makeRoot } from '@seine/ca';
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from '@seine/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { citadelClient, FileWatcher } from '@seine/identity';
import { JsonLogger } from '@seine/nest';
import { readBundlesSecret } from '@seine/sds';
import { Registry } from 'prom-client';
import { chainOf, SdsTestStream, secretIn, sotw as ask } from './agent.fixture.js';
import { AgentMetrics } from './agent.metrics.js';
import { AgentService } from './agent.service.js';
import { parseArguments } from './config.js';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-agent-'));
const rootFile = path.join(folder, 'root-cert.pem');
const now = () => Date.now();
let citadel: CitadelService;
let citadelApp: INestApplication;
let port: number;
const ends: (() => void)[] = [];

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const found = (server.address() as { readonly port: number }).port;
  await new Promise((resolve) => server.close(resolve));
  return found;
}

beforeAll(async () => {
  port = await freePort();
  const { listen, admin, bundleEndpoint, ...options } = parseCitadelArguments([
    ...['--state', path.join(folder, 'state'), '--listen', `127.0.0.1:${port}`, '--ttl', '3600'],
    ...['--dns-name', 'localhost', '--limit-per-identity', '1000,1000'],
  ]);
  expect([admin.host, bundleEndpoint]).toEqual(['127.0.0.1', undefined]);
  const logger = new JsonLogger({ name: 'citadel', destination: { write: () => undefined } });
  citadel = await openCitadel({ ...options, logger });
  fs.writeFileSync(rootFile, citadel.roots());
  citadelApp = await NestFactory.create(CitadelModule.register(citadel), { logger: false });
  citadelApp.connectMicroservice(certificateApiServer(citadel, listen, logger));
  await citadelApp.init();
  await citadelApp.startAllMicroservices();
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
});
afterAll(async () => {
  await citadelApp.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

let count = 0;

/** A token file of an account, as one that starts a workload would write it. */
function tokenFile(
  account: string,
  text = citadel.createJoinToken({ namespace: 'default', serviceAccount: account }, 60_000),
): string {
  const file = path.join(folder, `token-${++count}`);
  fs.writeFileSync(file, text);
  return file;
}

interface Started {
  readonly agent: AgentService;
  readonly log: readonly string[];
  readonly registry: Registry;
}

async function startAgent(workloads: readonly string[], more: readonly string[] = []): Promise<Started> {
  const {
    citadel: address,
    lifetime,
    ...options
  } = parseArguments([
    ...['--citadel', `127.0.0.1:${port}`, '--root-cert', rootFile],
    ...more,
    ...workloads.flatMap((workload) => ['--workload', workload]),
  ]);
  const log: string[] = [];
  const registry = new Registry();
  const watcher = new FileWatcher(20);
  const agent = new AgentService({
    ...options,
    authority: (bundles) => citadelClient({ address, trustDomain: 'cluster.local', bundles, lifetime, now }),
    watchFile: watcher.watch,
    logger: new JsonLogger({ name: 'agent', destination: { write: (line) => void log.push(line) } }),
    metrics: new AgentMetrics(registry),
    now,
    random: Math.random,
    later: (run, ms) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  });
  ends.push(() => {
    agent.stop();
    watcher.close();
  });
  await agent.start();
  return { agent, log, registry };
}

const Stream = SdsTestStream;
const onEnd = (end: () => void) => void ends.push(end);
const sotw = (socket: string, names: readonly string[], token?: string) => ask(onEnd, socket, names, token);

/** The roots of the own trust domain, PEM. */
function believed(response: DiscoveryResponse | undefined): string {
  const read = readBundlesSecret(response!.resources[0]!.value, 'cluster.local');
  return 'error' in read ? read.error : (read.bundles.get('cluster.local') ?? []).join('');
}

describe('the agent', () => {
  it('S-1 gives its one workload certificate and roots, on a socket that others cannot open', async () => {
    const socket = path.join(folder, 'alone/socket');
    await startAgent([`reviews=default/bookinfo-reviews,token-file=${tokenFile('bookinfo-reviews')},socket=${socket}`]);
    const own = await sotw(socket, ['default']);
    const chain = chainOf(secretIn(own.responses[0]));
    expect(chain.map((certificate) => certificate.subjectAltName)).toEqual([
      'URI:spiffe://cluster.local/ns/default/sa/bookinfo-reviews',
    ]);
    expect(believed((await sotw(socket, ['ROOTCA'])).responses[0])).toBe(citadel.roots());
    expect(fs.statSync(socket).mode & 0o777).toBe(0o660);
    expect(fs.statSync(path.dirname(socket)).mode & 0o777).toBe(0o700);
  });

  it('makes RSA keys too', async () => {
    const socket = path.join(folder, 'rsa/socket');
    const workload = `rsa=default/rsa,token-file=${tokenFile('rsa')},socket=${socket}`;
    await startAgent([workload], ['--key-type', 'rsa-2048']);
    const [leaf] = chainOf(secretIn((await sotw(socket, ['default'])).responses[0]));
    expect(leaf!.publicKey.asymmetricKeyType).toBe('rsa');
  });

  it('gives each Envoy on a shared socket the identity that its token proves, and S-7 none without', async () => {
    const socket = path.join(folder, 'shared/socket');
    const [one, two] = [tokenFile('one'), tokenFile('two')];
    const { log } = await startAgent(
      [`one=default/one,token-file=${one}`, `two=default/two,token-file=${two}`],
      ['--socket', socket],
    );
    const nameOf = async (token: string) =>
      chainOf(secretIn((await sotw(socket, ['default'], token)).responses[0]))[0]!.subjectAltName;
    expect(await nameOf(fs.readFileSync(one, 'utf8'))).toBe('URI:spiffe://cluster.local/ns/default/sa/one');
    expect(await nameOf(`Bearer ${fs.readFileSync(two, 'utf8')}`)).toBe('URI:spiffe://cluster.local/ns/default/sa/two');
    for (const token of [undefined, 'junk']) {
      const refused = await sotw(socket, ['default'], token);
      expect([refused.error?.code, refused.responses]).toEqual([16, []]);
    }
    expect(log.join('')).toMatch(/no token says which it is[^]*of no workload of this socket/);
    expect(log.join('')).not.toMatch(/seine-join|PRIVATE/);
  });

  it('gives each socket its own identity only', async () => {
    const sockets = ['a', 'b'].map((name) => path.join(folder, `own-${name}/socket`));
    await startAgent(
      sockets.map(
        (socket, index) => `w${index}=default/w${index},token-file=${tokenFile(`w${index}`)},socket=${socket}`,
      ),
    );
    const names = await Promise.all(
      sockets.map(
        async (socket) => chainOf(secretIn((await sotw(socket, ['default'])).responses[0]))[0]!.subjectAltName,
      ),
    );
    expect(names).toEqual([0, 1].map((index) => `URI:spiffe://cluster.local/ns/default/sa/w${index}`));
  });

  it('S-3 pushes a changed bundle on open streams, and keeps the old one when the file is broken', async () => {
    const socket = path.join(folder, 'roots/socket');
    const { log } = await startAgent([`r=default/r,token-file=${tokenFile('r')},socket=${socket}`]);
    const stream = await sotw(socket, ['ROOTCA']);
    const other = await makeRoot({ trustDomain: 'cluster.local', now: now(), lifetimeMs: 1e9 });
    try {
      fs.writeFileSync(rootFile, 'junk');
      await stream.until(() => log.some((line) => line.includes('holds no certificate in PEM; the roots that were')));
      fs.writeFileSync(rootFile, citadel.roots() + other.certificate);
      await stream.until(() => stream.responses.length === 2);
    } finally {
      fs.writeFileSync(rootFile, citadel.roots());
    }
    expect(believed(stream.responses[1])).toBe(citadel.roots() + other.certificate);
  });

  it('S-2 pushes renewed certificates to both kinds of streams without being asked', async () => {
    const socket = path.join(folder, 'renewal/socket');
    await startAgent([`n=default/n,token-file=${tokenFile('n')},socket=${socket}`], ['--ttl', '3']);
    const delta = new Stream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>(onEnd, socket, 'DeltaSecrets');
    const request: MessageInitShape<typeof DeltaDiscoveryRequestSchema> = { resourceNamesSubscribe: ['default'] };
    delta.send(create(DeltaDiscoveryRequestSchema, request));
    const stream = await sotw(socket, ['default']);
    await stream.until(() => stream.responses.length >= 3 && delta.responses.length >= 3);
    const serials = stream.responses.map((response) => chainOf(secretIn(response))[0]!.serialNumber);
    expect(new Set(serials).size).toBe(serials.length);
    const versions = delta.responses.flatMap(({ resources }) => resources.map(({ version }) => version));
    expect(new Set(versions).size).toBe(versions.length);
  }, 60_000);

  it('tells of names that it does not know, and of files that it does not let out', async () => {
    const socket = path.join(folder, 'names/socket');
    const { log } = await startAgent([
      `x=default/x,token-file=${tokenFile('x')},socket=${socket},files=${path.join(folder, 'let-out')}`,
    ]);
    const stream = await sotw(socket, ['kubernetes://secret', `file-root:${rootFile}`, 'ROOTCA']);
    expect(stream.responses[0]!.resources).toHaveLength(1);
    expect(log.join('')).toMatch(/kubernetes:\/\/secret.*is not known/);
    expect(log.join('')).toMatch(/file-root:.*is not let out/);
  });

  it('gives certificates in files, and S-8 keeps the good one while a pair does not match', async () => {
    const files = path.join(folder, 'files');
    fs.mkdirSync(files);
    const make = async (name: string) => {
      const { certificate, key } = await makeRoot({ trustDomain: name, now: now(), lifetimeMs: 1e9 });
      return { certificate, key };
    };
    const [first, second] = [await make('first'), await make('second')];
    const [certificateFile, keyFile] = [path.join(files, 'c.pem'), path.join(files, 'k.pem')];
    fs.writeFileSync(certificateFile, first.certificate);
    fs.writeFileSync(keyFile, first.key);
    const socket = path.join(folder, 'f/socket');
    const { log } = await startAgent([`f=default/f,token-file=${tokenFile('f')},socket=${socket},files=${files}`]);
    const stream = await sotw(socket, [`file-cert:${certificateFile}~${keyFile}`]);
    expect(chainOf(secretIn(stream.responses[0]))[0]!.toString()).toBe(first.certificate);
    fs.writeFileSync(certificateFile, second.certificate);
    await stream.until(() => log.some((line) => line.includes('is not the key of')));
    expect(stream.responses).toHaveLength(1);
    fs.writeFileSync(keyFile, second.key);
    await stream.until(() => stream.responses.length === 2);
    expect(chainOf(secretIn(stream.responses[1]))[0]!.toString()).toBe(second.certificate);
  });

  it('does not let a link lead out of the folder that is let out', async () => {
    const files = path.join(folder, 'linked');
    fs.mkdirSync(files);
    fs.symlinkSync(rootFile, path.join(files, 'inside.pem'));
    const socket = path.join(folder, 'l/socket');
    const { log } = await startAgent([`l=default/l,token-file=${tokenFile('l')},socket=${socket},files=${files}`]);
    const stream = await sotw(socket, [`file-root:${path.join(files, 'inside.pem')}`, 'ROOTCA']);
    expect(stream.responses[0]!.resources).toHaveLength(1);
    expect(log.join('')).toMatch(/inside.pem cannot be read/);
  });

  it('says what is wrong with a token, and goes on as soon as there is a good one', async () => {
    const socket = path.join(folder, 'late/socket');
    const file = tokenFile('late', 'seine-join.junk\n');
    const { agent, log, registry } = await startAgent([`late=default/late,token-file=${file},socket=${socket}`]);
    const stream = new Stream<DiscoveryRequest, DiscoveryResponse>(onEnd, socket, 'StreamSecrets');
    stream.send(create(DiscoveryRequestSchema, { resourceNames: ['default'] }));
    await stream.until(() => log.some((line) => line.includes('UNAUTHENTICATED')));
    expect(log.join('')).toMatch(/newline at its end\?.*status 13/);
    expect(agent.waiting()).toEqual(['late']);
    expect(await registry.metrics()).not.toContain('istio_agent_cert_expiry_seconds{');
    fs.writeFileSync(file, citadel.createJoinToken({ namespace: 'default', serviceAccount: 'late' }, 60_000));
    await stream.until(() => stream.responses.length > 0);
    expect(agent.waiting()).toEqual([]);
    expect(await registry.metrics()).toMatch(
      /istio_agent_cert_expiry_seconds\{resource_name="default",workload="late"\} 3\d\d\d\./,
    );
    expect(await registry.metrics()).toMatch(/istio_agent_num_failed_outgoing_requests\{request_type="csr"\} [1-9]/);
  });

  it('does not take a certificate of somebody else', async () => {
    const socket = path.join(folder, 'wrong/socket');
    const { log } = await startAgent([`a=default/a,token-file=${tokenFile('b')},socket=${socket}`]);
    const stream = await sotw(socket, ['default', 'ROOTCA']);
    await stream.until(() => log.some((line) => line.includes('sa/b where spiffe://cluster.local/ns/default/sa/a')));
    expect(stream.responses).toHaveLength(1);
  });

  it('does not speak to a citadel of another root', async () => {
    const stranger = await makeRoot({ trustDomain: 'cluster.local', now: now(), lifetimeMs: 1e9 });
    const file = path.join(folder, 'stranger.pem');
    fs.writeFileSync(file, stranger.certificate);
    const { log, agent } = await startAgent(
      [`z=default/z,token-file=${tokenFile('z')},socket=${path.join(folder, 'z/socket')}`],
      ['--root-cert', file],
    );
    const deadline = Date.now() + 20_000;
    while (!log.some((line) => /UNAVAILABLE.*(certificate|verify)/.test(line)) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(log.join('')).toMatch(/UNAVAILABLE.*(certificate|verify)/);
    expect(agent.waiting()).toEqual(['z']);
  });

  it('takes over the socket of an agent that was killed, and of none that serves', async () => {
    const socket = path.join(folder, 'stale/socket');
    fs.mkdirSync(path.dirname(socket), { mode: 0o700 });
    const script = `require('net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`;
    try {
      execFileSync(process.execPath, ['-e', script], { stdio: 'ignore' });
    } catch {
      // Killed, as it should be.
    }
    expect(fs.existsSync(socket)).toBe(true);
    await startAgent([`s=default/s,token-file=${tokenFile('s')},socket=${socket}`]);
    await expect(startAgent([`s=default/s,token-file=${tokenFile('s')},socket=${socket}`])).rejects.toThrow(
      /is served by another program/,
    );
  });
});
