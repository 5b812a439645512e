import 'reflect-metadata';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type ClientDuplexStream,
  credentials,
  loadPackageDefinition,
  makeGenericClientConstructor,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { certificateApiLoaderOptions, certificateApiProto, type CertificateResponseMessage } from '@seine/api';
import { type AuditRecord, makeCertificateRequest, makeWorkloadKey } from '@seine/ca';
import { TypeUrl } from '@seine/envoy';
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from '@seine/envoy/envoy/service/discovery/v3/discovery_pb.js';
import type { Authenticator } from '@seine/identity';
import { readBundlesSecret } from '@seine/sds';
import { certificateApiServer, CitadelModule } from './citadel.module.js';
import type { CitadelService } from './citadel.service.js';
import { parseArguments } from './config.js';
import { openCitadel } from './open-citadel.js';

jest.setTimeout(120_000);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-replicas-'));
const stateDir = path.join(folder, 'state');
const warnings: string[] = [];
const logger = {
  log: () => undefined,
  warn: (message: string) => void warnings.push(message),
  error: (message: string) => void warnings.push(message),
};

/** Believes a text that begins with `account:`. */
const byName: Authenticator = ({ bearer }) => {
  const serviceAccount = /^account:(.+)$/.exec(bearer ?? '')?.[1];
  const identity = { trustDomain: 'td', namespace: 'default', serviceAccount: serviceAccount ?? '' };
  return Promise.resolve(serviceAccount === undefined ? undefined : { identity, by: 'test' });
};

interface Replica {
  readonly citadel: CitadelService;
  readonly app: INestApplication;
  readonly port: number;
  readonly admin: string;
}

async function freePort(): Promise<number> {
  const server = http.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function start(...flags: readonly string[]): Promise<Replica> {
  const port = await freePort();
  const common = [
    '--state',
    stateDir,
    '--trust-domain',
    'td',
    '--rotation-wait',
    '0',
    '--max-ttl',
    '7200',
    '--ttl',
    '3600',
  ];
  const options = parseArguments([...common, ...flags]);
  const citadel = await openCitadel({ ...options, logger, authenticators: [byName] });
  const app = await NestFactory.create(CitadelModule.register(citadel), { logger: false });
  app.connectMicroservice(certificateApiServer(citadel, `127.0.0.1:${port}`));
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  const { port: admin } = (app.getHttpServer() as http.Server).address() as AddressInfo;
  return { citadel, app, port, admin: `http://127.0.0.1:${admin}` };
}

let one: Replica;
let two: Replica;
beforeAll(async () => {
  [one, two] = await Promise.all([start('--limit-per-identity', '2000,1'), start('--limit-per-identity', '2000,1')]);
});
afterAll(async () => {
  await Promise.all([one.app.close(), two.app.close()]);
  fs.rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function call(
  replica: Replica,
  method: string,
  at: string,
  body?: object,
  token = adminToken(),
): Promise<Answer> {
  const headers = { ...(token && { authorization: `Bearer ${token}` }), 'content-type': 'application/json' };
  const response = await fetch(`${replica.admin}${at}`, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: text.startsWith('{') || text.startsWith('[') ? (JSON.parse(text) as unknown) : text,
  };
}
const adminToken = () => fs.readFileSync(path.join(stateDir, 'admin.token'), 'utf8').trim();

const definition = loadPackageDefinition(loadSync(fileURLToPath(certificateApiProto), certificateApiLoaderOptions));
type CallBack = (error: ServiceError | null, response?: CertificateResponseMessage) => void;
interface Client {
  createCertificate(request: object, metadata: Metadata, callback: CallBack): void;
  close(): void;
}
const clientClass = (
  definition as unknown as {
    istio: { v1: { auth: { IstioCertificateService: new (address: string, channel: object) => Client } } };
  }
).istio.v1.auth.IstioCertificateService;

function clientOf({ port, citadel }: Replica): Client {
  return new clientClass(`localhost:${port}`, credentials.createSsl(Buffer.from(citadel.roots())));
}

function ask(client: Client, account: string, request: object): Promise<CertificateResponseMessage> {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${account}`);
  return new Promise((resolve, reject) => {
    client.createCertificate({ validityDuration: 0, ...request }, metadata, (error, response) =>
      error ? reject(error) : resolve(response!),
    );
  });
}
const newCsr = async () => makeCertificateRequest(await makeWorkloadKey('ecdsa-p256'));

describe('two citadels on one state directory', () => {
  it('C-17 that start at once have one root', () => {
    expect(one.citadel.roots()).toBe(two.citadel.roots());
  });

  it('C-15 give no serial number twice, and C-23 write each into one log', async () => {
    const csr = await newCsr();
    const serials = new Set<string>();
    await Promise.all(
      [one, two].map(async (replica) => {
        const client = clientOf(replica);
        for (let n = 0; n < 500; n++) {
          const { certChain } = await ask(client, 'account:serials', { csr });
          serials.add(new X509Certificate(certChain[0]!).serialNumber);
        }
        client.close();
      }),
    );
    expect(serials.size).toBe(1000);
    const lines = fs.readFileSync(path.join(stateDir, 'audit.log'), 'utf8').trim().split('\n');
    const records = lines.map((line) => JSON.parse(line) as AuditRecord);
    const issued = records.filter(({ spiffeId }) => spiffeId.endsWith('/sa/serials'));
    expect(new Set(issued.map(({ serial }) => serial?.toUpperCase()))).toEqual(serials);
    expect(issued[0]).toEqual({
      time: expect.stringMatching(/^2\d{3}-/),
      event: 'issued',
      spiffeId: 'spiffe://td/ns/default/sa/serials',
      by: 'test',
      address: '127.0.0.1',
      serial: expect.stringMatching(/^[0-9a-f]{32}$/),
      notAfter: expect.stringMatching(/Z$/),
      ttl: 3600,
    });
    expect(lines.join('')).not.toMatch(/BEGIN|account:/);
  });

  it('deny an identity both, tell whoever waits for it, and write the refusal down', async () => {
    const spiffeId = 'spiffe://td/ns/default/sa/denied';
    const waiting = call(two, 'GET', '/denied?since=0&wait=30', undefined, '');
    expect((await call(one, 'POST', '/ca/denied', { spiffeId, reason: 'laptop lost' })).status).toBe(200);
    expect(await waiting).toEqual({ status: 200, body: { revision: 1, denied: [spiffeId] } });
    for (const replica of [one, two]) {
      const client = clientOf(replica);
      await expect(ask(client, 'account:denied', { csr: await newCsr() })).rejects.toMatchObject({
        code: 7,
        details: `${spiffeId} is revoked`,
      });
      client.close();
    }
    expect((await call(one, 'POST', '/ca/tokens', { namespace: 'default', serviceAccount: 'denied' })).status).toBe(
      409,
    );
    expect(await call(two, 'DELETE', `/ca/denied?id=${spiffeId}`)).toEqual({ status: 200, body: [] });
    expect((await call(two, 'DELETE', `/ca/denied?id=${spiffeId}`)).status).toBe(404);
    expect(fs.readFileSync(path.join(stateDir, 'audit.log'), 'utf8')).toMatch(/"refused".*sa\/denied.*is revoked/);
  });

  it('give a join token of the one once, at the other', async () => {
    const made = await call(one, 'POST', '/ca/tokens', { namespace: 'default', serviceAccount: 'vm', ttl: 60 });
    const { token } = made.body as { token: string };
    const client = clientOf(two);
    const { certChain } = await ask(client, token, { csr: await newCsr() });
    expect(new X509Certificate(certChain[0]!).subjectAltName).toBe('URI:spiffe://td/ns/default/sa/vm');
    await expect(ask(client, token, { csr: await newCsr() })).rejects.toMatchObject({ code: 16 });
    client.close();
  });
});

describe('the admin port', () => {
  it.each([
    'GET /ca',
    'GET /ca/certificates',
    'POST /ca/rotate',
    'GET /ca/denied',
    'POST /ca/denied',
    'DELETE /ca/denied',
    'POST /ca/tokens',
  ])('%s is for who shows the token', async (route) => {
    const [method, at] = route.split(' ') as [string, string];
    for (const token of ['', 'wrong', `${adminToken()}x`])
      expect((await call(one, method, at, undefined, token)).status).toBe(401);
    expect(fs.statSync(path.join(stateDir, 'admin.token')).mode & 0o777).toBe(0o600);
  });

  it.each<[string, string, object, number, RegExp]>([
    ['an unknown step', '/ca/rotate', { step: 'leap' }, 400, /step is one of/],
    ['a force that is none', '/ca/rotate', { step: 'activate', force: 'yes' }, 400, /true or false/],
    ['a step before its time', '/ca/rotate', { step: 'activate' }, 409, /no root is prepared/],
    ['an identity that is none', '/ca/denied', { spiffeId: 'spiffe://td/../x' }, 400, /spiffe:\/\/TRUST_DOMAIN/],
    ['a token for nobody', '/ca/tokens', { namespace: 'a/sa/b', serviceAccount: 'c' }, 400, /no identity/],
    ['a token for ever', '/ca/tokens', { namespace: 'a', serviceAccount: 'c', ttl: 1e9 }, 400, /ttl is a number/],
  ])('refuses %s with a reason', async (_what, at, body, status, message) => {
    expect(await call(one, 'POST', at, body)).toEqual({
      status,
      body: expect.objectContaining({ message: expect.stringMatching(message) }),
    });
  });

  it('lists what is in force', async () => {
    const client = clientOf(one);
    await ask(client, 'account:listed', { csr: await newCsr() });
    client.close();
    const { body } = await call(one, 'GET', '/ca/certificates?identity=spiffe://td/ns/default/sa/listed');
    expect(body).toMatchObject([{ spiffeId: 'spiffe://td/ns/default/sa/listed', by: 'test' }]);
  });
});

describe('what citadel keeps and says', () => {
  it('C-22 has keys in one file for citadel alone, and secrets nowhere else', async () => {
    const { body } = await call(one, 'POST', '/ca/tokens', { namespace: 'default', serviceAccount: 'secret' });
    const { token } = body as { token: string };
    const found = new Map<string, string[]>();
    for (const name of fs.readdirSync(stateDir, { recursive: true, encoding: 'utf8' })) {
      const file = path.join(stateDir, name);
      if (!fs.statSync(file).isFile()) continue;
      const text = fs.readFileSync(file, 'utf8');
      for (const secret of ['PRIVATE KEY', token.replace('seine-join.', ''), adminToken()])
        if (text.includes(secret)) found.set(secret, [...(found.get(secret) ?? []), name]);
    }
    expect(found.get('PRIVATE KEY')).toEqual([expect.stringMatching(/^ca\/authority\.\d+\.json$/)]);
    expect(found.get(adminToken())).toEqual(['admin.token']);
    expect(found.size).toBe(2);
    const shown = [await call(one, 'GET', '/ca'), await call(one, 'GET', '/bundle'), warnings, process.env];
    expect(JSON.stringify(shown)).not.toMatch(/PRIVATE KEY/);
    expect(JSON.stringify(shown)).not.toContain(adminToken());
  });

  it('C-23 writes down its own certificate, too', () => {
    const log = fs.readFileSync(path.join(stateDir, 'audit.log'), 'utf8');
    expect(log).toMatch(/"issued","spiffeId":"spiffe:\/\/td\/ns\/istio-system\/sa\/citadel","by":"citadel itself"/);
  });
});

describe('a refusal', () => {
  it('C-21 of too many requests says when to come back, as gRPC does', async () => {
    const limited = await start('--limit-per-identity', '1,0.5');
    const client = clientOf(limited);
    const csr = await newCsr();
    await ask(client, 'account:noisy', { csr });
    const error = (await ask(client, 'account:noisy', { csr }).catch((thrown: unknown) => thrown)) as ServiceError;
    expect([error.code, error.metadata.get('retry-after')]).toEqual([8, ['2']]);
    const details = error.metadata.get('grpc-status-details-bin')[0] as Buffer;
    expect(details.toString('latin1')).toContain('type.googleapis.com/google.rpc.RetryInfo');
    await ask(client, 'account:quiet', { csr });
    client.close();
    await limited.app.close();
  });

  it('C-11 of an agent that asks for another is the default', async () => {
    const client = clientOf(one);
    const metadata = { fields: { ImpersonatedIdentity: { stringValue: 'spiffe://td/ns/default/sa/victim' } } };
    await expect(ask(client, 'account:agent', { csr: await newCsr(), metadata })).rejects.toMatchObject({ code: 16 });
    expect(warnings.at(-1)).toMatch(/nobody may here/);
    client.close();
  });

  it('C-8 of 1 MB of junk costs the connection nothing', async () => {
    const client = clientOf(one);
    await expect(ask(client, 'account:junk', { csr: 'x'.repeat(1_000_000) })).rejects.toMatchObject({ code: 8 });
    await expect(ask(client, 'account:junk', { csr: 'x'.repeat(60_000) })).rejects.toMatchObject({ code: 3 });
    await ask(client, 'account:junk', { csr: await newCsr() });
    client.close();
  });
});

type Stream = ClientDuplexStream<DiscoveryRequest, DiscoveryResponse>;

/** A follower of the bundle, as an agent is one. */
class Following {
  readonly #client;
  readonly #stream: Stream;
  readonly responses: DiscoveryResponse[] = [];
  error: ServiceError | undefined;

  constructor({ port, citadel }: Replica, own?: { key: string; chain: string }) {
    const service = {
      StreamSecrets: {
        path: '/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets',
        requestStream: true,
        responseStream: true,
        requestSerialize: (message: DiscoveryRequest) => Buffer.from(toBinary(DiscoveryRequestSchema, message)),
        requestDeserialize: (bytes: Buffer) => fromBinary(DiscoveryRequestSchema, bytes),
        responseSerialize: (message: DiscoveryResponse) => Buffer.from(toBinary(DiscoveryResponseSchema, message)),
        responseDeserialize: (bytes: Buffer) => fromBinary(DiscoveryResponseSchema, bytes),
      },
    };
    const made = makeGenericClientConstructor(service, 'sds');
    const [key, chain] = own ? [Buffer.from(own.key), Buffer.from(own.chain)] : [null, null];
    this.#client = new made(`localhost:${port}`, credentials.createSsl(Buffer.from(citadel.roots()), key, chain));
    this.#stream = (this.#client['StreamSecrets'] as () => Stream).call(this.#client);
    this.#stream.on('data', (response: DiscoveryResponse) => this.responses.push(response));
    this.#stream.on('error', (error: ServiceError) => (this.error = error));
  }

  send(change: Partial<Pick<DiscoveryRequest, 'typeUrl' | 'resourceNames'>> = {}): void {
    const { nonce = '', versionInfo = '' } = this.responses.at(-1) ?? {};
    const about = { typeUrl: TypeUrl.secret, resourceNames: ['ROOTCA'], responseNonce: nonce, versionInfo };
    this.#stream.write(create(DiscoveryRequestSchema, { ...about, ...change }));
  }

  get roots(): readonly string[] {
    const read = readBundlesSecret(this.responses.at(-1)!.resources[0]!.value, 'td');
    return 'error' in read ? [] : (read.bundles.get('td') ?? []);
  }

  close(): void {
    this.#stream.cancel();
    this.#client.close();
  }
}

async function until(what: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!what()) {
    if (Date.now() > deadline) throw new Error(`never: ${what.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('over SDS citadel', () => {
  it('gives the bundle only: no certificate, and no key', async () => {
    const follower = new Following(one);
    follower.send({ resourceNames: ['default', 'ROOTCA'] });
    await until(() => follower.responses.length === 1);
    expect(follower.responses[0]!.resources).toHaveLength(1);
    expect(follower.roots).toEqual([one.citadel.roots()]);
    follower.close();
  });

  it('C-18 pushes a new root, and rotates when all who have shown a certificate have acknowledged it', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const client = clientOf(one);
    const { certChain } = await ask(client, 'account:agent', { csr: makeCertificateRequest(privateKey) });
    client.close();
    const own = { key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), chain: certChain.join('') };
    const [agent, stranger] = [new Following(one, own), new Following(two)];
    for (const follower of [agent, stranger]) {
      follower.send();
      await until(() => follower.responses.length === 1);
    }
    agent.send();
    const before = one.citadel.bundle().spiffe_sequence;

    expect(await call(one, 'POST', '/ca/rotate', { step: 'prepare' })).toMatchObject({
      status: 200,
      body: { phase: 'prepared' },
    });
    await until(() => agent.responses.length === 2 && stranger.responses.length === 2);
    expect(agent.roots).toEqual(two.citadel.trust.roots);
    expect(agent.roots).toHaveLength(2);
    expect(one.citadel.bundle().spiffe_sequence).toBe(before + 1);
    // The stranger's word does not count; the agent's does, at either citadel.
    const refused = {
      status: 409,
      body: { message: expect.stringMatching(/1 followers have not .*sa\/agent at 127/) },
    };
    expect(await call(one, 'POST', '/ca/rotate', { step: 'activate' })).toMatchObject(refused);
    await until(() => two.citadel.spread().behind.length > 0);
    expect(await call(two, 'POST', '/ca/rotate', { step: 'activate' })).toMatchObject(refused);

    agent.send();
    await until(() => two.citadel.spread().behind.length === 0);
    expect(await call(two, 'POST', '/ca/rotate', { step: 'activate' })).toMatchObject({
      status: 200,
      body: { phase: 'activated' },
    });
    await until(() => one.citadel.keeper.state().prepared === undefined);
    const after = clientOf(one);
    const issued = await ask(after, 'account:agent', { csr: await newCsr() });
    after.close();
    const fingerprint = (pem: string) => new X509Certificate(pem).fingerprint256;
    expect(fingerprint(issued.certChain.at(-1)!)).toBe(fingerprint(agent.roots[1]!));

    expect((await call(one, 'POST', '/ca/rotate', { step: 'retire' })).status).toBe(409);
    expect(await call(one, 'POST', '/ca/rotate', { step: 'retire', force: true })).toMatchObject({
      status: 200,
      body: { phase: 'stable' },
    });
    await until(() => agent.responses.length === 3);
    expect(agent.roots).toHaveLength(1);
    for (const follower of [agent, stranger]) follower.close();
    await until(() => one.citadel.followers.list().length + two.citadel.followers.list().length === 0);
  });

  it('C-12 the certificate of a root that has gone renews nothing', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const client = clientOf(one);
    const { certChain } = await ask(client, 'account:late', { csr: makeCertificateRequest(privateKey) });
    client.close();
    for (const step of ['prepare', 'activate', 'retire'])
      expect(await call(one, 'POST', '/ca/rotate', { step, force: step !== 'prepare' })).toMatchObject({ status: 200 });
    const key = Buffer.from(privateKey.export({ format: 'pem', type: 'pkcs8' }));
    const channel = credentials.createSsl(Buffer.from(one.citadel.roots()), key, Buffer.from(certChain.join('')));
    await until(() => one.citadel.serving.roots === one.citadel.roots());
    const late = new clientClass(`localhost:${one.port}`, channel);
    await expect(ask(late, '', { csr: await newCsr() })).rejects.toMatchObject({ code: 16 });
    late.close();
  });

  it('ends a stream that asks for what is no secret', async () => {
    const follower = new Following(one);
    follower.send({ typeUrl: 'type.googleapis.com/envoy.config.cluster.v3.Cluster' });
    await until(() => follower.error !== undefined);
    expect(follower.error).toMatchObject({ code: 3 });
    follower.close();
  });
});
