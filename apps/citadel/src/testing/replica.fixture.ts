import 'reflect-metadata';
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
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { certificateApiLoaderOptions, certificateApiProto, type CertificateResponseMessage } from '@seine/api';
import { makeCertificateRequest, makeWorkloadKey } from '@seine/ca';
import { TypeUrl } from '@seine/envoy';
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from '@seine/envoy/envoy/service/discovery/v3/discovery_pb.js';
import type { Authenticator } from '@seine/identity';
import { readBundlesSecret } from '@seine/sds';
import { certificateApiServer, CitadelModule } from '../citadel.module.js';
import type { CitadelService } from '../citadel.service.js';
import { parseArguments } from '../config.js';
import { openCitadel } from '../open-citadel.js';

export const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-replicas-'));
export const stateDir = path.join(folder, 'state');
export const warnings: string[] = [];
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

export interface Replica {
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

export async function start(...flags: readonly string[]): Promise<Replica> {
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

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export async function call(
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
export const adminToken = () => fs.readFileSync(path.join(stateDir, 'admin.token'), 'utf8').trim();

const definition = loadPackageDefinition(loadSync(fileURLToPath(certificateApiProto), certificateApiLoaderOptions));
type CallBack = (error: ServiceError | null, response?: CertificateResponseMessage) => void;
export interface Client {
  createCertificate(request: object, metadata: Metadata, callback: CallBack): void;
  close(): void;
}
export const clientClass = (
  definition as unknown as {
    istio: { v1: { auth: { IstioCertificateService: new (address: string, channel: object) => Client } } };
  }
).istio.v1.auth.IstioCertificateService;

export function clientOf({ port, citadel }: Replica): Client {
  return new clientClass(`localhost:${port}`, credentials.createSsl(Buffer.from(citadel.roots())));
}

export function ask(client: Client, account: string, request: object): Promise<CertificateResponseMessage> {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${account}`);
  return new Promise((resolve, reject) => {
    client.createCertificate({ validityDuration: 0, ...request }, metadata, (error, response) =>
      error ? reject(error) : resolve(response!),
    );
  });
}
export const newCsr = async () => makeCertificateRequest(await makeWorkloadKey('ecdsa-p256'));

type Stream = ClientDuplexStream<DiscoveryRequest, DiscoveryResponse>;

/** A follower of the bundle, as an agent is one. */
export class Following {
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

export async function until(what: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!what()) {
    if (Date.now() > deadline) throw new Error(`never: ${what.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
