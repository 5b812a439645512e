import 'reflect-metadata';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServiceClientConstructor } from '@grpc/grpc-js';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type INestApplication, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type ApplyResponse,
  configApiLoaderOptions,
  configApiProto,
  type DeleteResponse,
  type GetResponse,
  type ListDiagnosticsResponse,
  type ListResponse,
  type WatchResponse,
} from '@seine/api';
import { METRICS } from '@seine/nest';
import { MemoryStore } from '@seine/store-memory';
import type { Registry } from 'prom-client';
import { configApiServer, RegistryModule } from './registry.module.js';

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const virtualService = (name: string, host: string) =>
  JSON.stringify({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name },
    spec: { hosts: [host], http: [{ route: [{ destination: { host } }] }] },
  });
const id = (name: string) => ({ group: 'networking.istio.io', kind: 'VirtualService', namespace: 'default', name });

describe('the config API over gRPC', () => {
  let app: INestApplication;
  let client: grpc.Client;
  let folder: string;

  const call = <T>(method: string, request: object): Promise<T> =>
    new Promise((resolve, reject) => {
      const { [method]: unary } = client as unknown as Record<
        string,
        (request: object, done: (error: grpc.ServiceError | null, response: T) => void) => void
      >;
      unary!.call(client, request, (error, response) => (error ? reject(error) : resolve(response)));
    });

  beforeAll(async () => {
    Logger.overrideLogger(false);
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-config-api-'));
    fs.writeFileSync(path.join(folder, 'broken.yaml'), 'kind: [');
    const listen = `127.0.0.1:${await freePort()}`;
    app = await NestFactory.create(RegistryModule.register({ store: new MemoryStore(), configDirs: [folder] }));
    app.connectMicroservice(configApiServer(listen));
    await app.init();
    await app.startAllMicroservices();
    const definition = loadSync(fileURLToPath(configApiProto), configApiLoaderOptions);
    const loaded = grpc.loadPackageDefinition(definition) as unknown as {
      seine: { config: { v1: { ConfigService: ServiceClientConstructor } } };
    };
    client = new loaded.seine.config.v1.ConfigService(listen, grpc.credentials.createInsecure());
  });
  afterAll(async () => {
    client.close();
    await app.close();
    fs.rmSync(folder, { recursive: true });
  });

  it('counts what is valid and what is not, under the names of Istio’s validation', async () => {
    const registry = app.get<Registry>(METRICS, { strict: false });
    const counts = async () =>
      await Promise.all(
        ['passed', 'failed'].map(async (name) => {
          const text = await registry.getSingleMetricAsString(`galley_validation_${name}`);
          return Number(text.trim().split(' ').at(-1));
        }),
      );
    const [passed = 0, failed = 0] = await counts();
    const unnamed = JSON.stringify({ apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: {} });
    await call<ApplyResponse>('apply', { objects: [virtualService('b', 'x'), unnamed], dryRun: true });
    expect(await counts()).toEqual([passed + 1, failed + 1]);
  });

  it('applies, gets, lists, watches and deletes', async () => {
    const seen: WatchResponse[] = [];
    const watcher = client as unknown as { watch(request: object): grpc.ClientReadableStream<WatchResponse> };
    const stream = watcher.watch({ kind: 'virtualservice', namespace: 'default' });
    const ended = new Promise<void>((resolve) => {
      stream.on('error', () => resolve());
      stream.on('data', (message: WatchResponse) => {
        seen.push(message);
        if (message.deleted.length > 0) stream.cancel();
      });
    });
    await new Promise<void>((resolve) => stream.once('data', () => resolve()));
    const applied = await call<ApplyResponse>('apply', { objects: [virtualService('a', 'x'), '{broken'] });
    expect(applied.results).toMatchObject([
      { id: id('a'), result: 'created', diagnostics: [{ code: 'IST0101', object: { name: 'a' } }] },
      { id: null, result: 'rejected', diagnostics: [{ severity: 'error', code: 'SEINE-OBJECT', position: null }] },
    ]);
    const { object } = await call<GetResponse>('get', { id: id('a') });
    expect(object).toMatchObject({ id: id('a'), origin: 'applied', shadowed: [] });
    expect(JSON.parse(object!.json)).toMatchObject({ spec: { hosts: ['x'] } });
    expect(await call<ListResponse>('list', {})).toMatchObject({
      objects: [{ id: id('a') }],
      revision: applied.revision,
    });
    const deleted = await call<DeleteResponse>('delete', { objects: [{ ...id('a'), namespace: '' }] });
    expect(deleted.results).toMatchObject([{ id: id('a'), result: 'deleted' }]);
    expect(await call<GetResponse>('get', { id: id('a') })).toMatchObject({ object: null });
    await ended;
    expect(seen).toMatchObject([
      { snapshot: true, put: [], deleted: [] },
      { snapshot: false, revision: applied.revision, put: [{ id: id('a'), origin: 'applied' }] },
      { snapshot: false, revision: deleted.revision, deleted: [id('a')] },
    ]);
  });

  it('tells what is wrong, with file and line', async () => {
    const { diagnostics } = await call<ListDiagnosticsResponse>('listDiagnostics', {});
    expect(diagnostics).toMatchObject([
      { severity: 'error', code: 'SEINE-YAML', position: { file: path.join(folder, 'broken.yaml'), line: 1 } },
    ]);
  });

  it.each<[string, string, object, string]>([
    ['an empty request', 'apply', {}, 'results'],
    ['a get without id', 'get', {}, 'object'],
    ['a delete of nothing', 'delete', { objects: [] }, 'results'],
  ])('answers %s', async (_, method, request, field) => {
    expect(Object.keys(await call<object>(method, request))).toContain(field);
  });
});
