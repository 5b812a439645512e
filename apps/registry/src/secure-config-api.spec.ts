import 'reflect-metadata';
import { createPublicKey } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type INestApplication, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { configApiLoaderOptions, configApiProto } from '@seine/api';
import { issueCertificate, makeRoot, makeWorkloadKey, readSigner, requestForKey, type SigningFiles } from '@seine/ca';
import { channelCredentials, channelOptions, serviceAccount, type TlsMaterial } from '@seine/identity';
import { MemoryStore } from '@seine/store-memory';
import { configApiServer, RegistryModule } from './registry.module.js';

const hour = 3_600_000;
const domain = 'cluster.local';

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function issue(files: SigningFiles, account: string, change: { namespace?: string; now?: number } = {}) {
  const { namespace = 'istio-system', now = Date.now() } = change;
  const key = await makeWorkloadKey('ecdsa-p256');
  const request = requestForKey(createPublicKey(key));
  const identity = { trustDomain: domain, namespace, serviceAccount: account };
  const { chain } = issueCertificate(readSigner(files, Date.now()), { identity, request, lifetimeMs: hour, now });
  return { chain: chain.join(''), key: key.export({ format: 'pem', type: 'pkcs8' }).toString(), roots: files.roots };
}

/** A service whose certificate a test changes. */
class Changing {
  readonly trustDomain = domain;
  readonly #listeners = new Set<() => void>();

  constructor(public material: TlsMaterial) {}

  get bundles() {
    return new Map([[domain, [this.material.roots]]]);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  replace(material: TlsMaterial): void {
    this.material = material;
    for (const listener of [...this.#listeners]) listener();
  }
}

const definition = loadSync(fileURLToPath(configApiProto), configApiLoaderOptions);
const { ConfigService } = (
  grpc.loadPackageDefinition(definition) as unknown as {
    seine: { config: { v1: { ConfigService: grpc.ServiceClientConstructor } } };
  }
).seine.config.v1;
const writes = ['apply', 'delete'];
const reads = ['get', 'list', 'listDiagnostics'];

describe('the config API over mutual TLS', () => {
  let app: INestApplication;
  let address: string;
  let folder: string;
  let files: SigningFiles;
  let registry: Changing;
  const denied = new Set<string>();
  const clients: grpc.Client[] = [];
  const registryAccount = serviceAccount('registry', domain);
  const now = () => Date.now();

  /** @returns the status of a call */
  const call = (client: grpc.Client, method: string): Promise<grpc.status> =>
    new Promise((resolve) => {
      const { [method]: unary } = client as unknown as Record<
        string,
        (request: object, options: object, done: (error: grpc.ServiceError | null) => void) => void
      >;
      const options = { deadline: Date.now() + 10_000 };
      unary!.call(client, {}, options, (error) => resolve(error?.code ?? grpc.status.OK));
    });
  const connect = (credentials: grpc.ChannelCredentials): grpc.Client => {
    const options = { ...channelOptions('127.0.0.1', registryAccount), 'grpc.use_local_subchannel_pool': 1 };
    const client = new ConfigService(address, credentials, options);
    clients.push(client);
    return client;
  };
  const clientOf = (material: TlsMaterial, server = registryAccount) =>
    connect(channelCredentials(new Changing(material), server, now));
  /** Takes any server, and shows what it is given. */
  const strange = (own?: TlsMaterial): grpc.Client => {
    const [key, chain] = own ? [Buffer.from(own.key), Buffer.from(own.chain)] : [null, null];
    const anyName = { checkServerIdentity: () => undefined };
    return connect(grpc.credentials.createSsl(Buffer.from(files.roots), key, chain, anyName));
  };

  beforeAll(async () => {
    Logger.overrideLogger(false);
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-config-api-'));
    files = await makeRoot({ trustDomain: domain, now: Date.now(), lifetimeMs: 24 * hour });
    registry = new Changing(await issue(files, 'registry'));
    address = `127.0.0.1:${await freePort()}`;
    app = await NestFactory.create(RegistryModule.register({ store: new MemoryStore(), configDirs: [folder] }));
    const deny = { isDenied: (id: string) => denied.has(id), onChange: () => () => undefined };
    app.connectMicroservice(configApiServer(address, { identity: registry, denied: deny }));
    await app.init();
    await app.startAllMicroservices();
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await app.close();
    fs.rmSync(folder, { recursive: true });
  });

  it.each([...reads, ...writes])('lets seinectl call %s', async (method) => {
    expect(await call(clientOf(await issue(files, 'seinectl')), method)).toBe(grpc.status.OK);
  });

  it.each(['pilot', 'mixer', 'citadel'])('lets %s read the mesh, and not change it', async (service) => {
    const client = clientOf(await issue(files, service));
    for (const method of reads) expect([method, await call(client, method)]).toEqual([method, grpc.status.OK]);
    for (const method of writes)
      expect([method, await call(client, method)]).toEqual([method, grpc.status.PERMISSION_DENIED]);
  });

  it.each([
    ['a workload', 'reviews', 'default'],
    ['the name of a service in another namespace', 'pilot', 'default'],
    ['the name of the admin in another namespace', 'seinectl', 'default'],
    ['a gateway', 'istio-ingressgateway-service-account', 'istio-system'],
  ])('refuses %s everything', async (_what, account, namespace) => {
    const client = clientOf(await issue(files, account, { namespace }));
    for (const method of [...reads, ...writes]) expect(await call(client, method)).toBe(grpc.status.PERMISSION_DENIED);
  });

  it.each<[string, () => Promise<TlsMaterial | undefined>]>([
    ['no certificate', () => Promise.resolve(undefined)],
    [
      'another root',
      async () => issue(await makeRoot({ trustDomain: domain, now: now(), lifetimeMs: hour }), 'seinectl'),
    ],
    ['an expired certificate', () => issue(files, 'seinectl', { now: now() - 2 * hour })],
  ])('does not know who shows %s', async (_what, own) => {
    const client = strange(await own());
    for (const method of [...reads, ...writes]) expect(await call(client, method)).toBe(grpc.status.UNAUTHENTICATED);
  });

  it('does not know who is revoked', async () => {
    denied.add('spiffe://cluster.local/ns/istio-system/sa/seinectl');
    expect(await call(clientOf(await issue(files, 'seinectl')), 'apply')).toBe(grpc.status.UNAUTHENTICATED);
    denied.clear();
  });

  it('hears no plain text', async () => {
    expect(await call(connect(grpc.credentials.createInsecure()), 'list')).toBe(grpc.status.UNAVAILABLE);
  });

  it('is known by its own identity only', async () => {
    const other = serviceAccount('pilot', domain);
    expect(await call(clientOf(await issue(files, 'seinectl'), other), 'list')).toBe(grpc.status.UNAVAILABLE);
  });

  it('changes its certificate and its roots while clients are connected', async () => {
    const seinectl = new Changing(await issue(files, 'seinectl'));
    const client = connect(channelCredentials(seinectl, registryAccount, now));
    expect(await call(client, 'list')).toBe(grpc.status.OK);
    files = await makeRoot({ trustDomain: domain, now: now(), lifetimeMs: 24 * hour });
    registry.replace(await issue(files, 'registry'));
    // The connection of before goes on; new ones are judged by the new root.
    expect(await call(client, 'list')).toBe(grpc.status.OK);
    expect(await call(clientOf(await issue(files, 'seinectl')), 'list')).toBe(grpc.status.OK);
    expect(await call(strange(seinectl.material), 'list')).toBe(grpc.status.UNAUTHENTICATED);
  });
});
