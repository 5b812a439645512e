import { createPrivateKey, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  type ClientDuplexStream,
  credentials,
  makeGenericClientConstructor,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { create, fromBinary } from '@bufbuild/protobuf';
import {
  issueCertificate,
  makeRoot,
  parseWorkloadId,
  readCertificateRequest,
  readSigner,
  type Signer,
  splitCertificates,
} from '@seine/ca';
import { TypeUrl } from '@seine/envoy/resource';
import { type Secret, SecretSchema } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from '@seine/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { FileWatcher } from '@seine/identity';
import { JsonLogger } from '@seine/nest';
import { type Proof, secretDiscoveryService } from '@seine/sds';
import { Registry } from 'prom-client';
import { AgentMetrics } from './agent.metrics.js';
import { type AgentOptions, AgentService } from './agent.service.js';

export const trustDomain = 'cluster.local';

export interface Root {
  readonly certificate: string;
  readonly signer: Signer;
}

export async function newRoot(domain = trustDomain): Promise<Root> {
  const files = await makeRoot({ trustDomain: domain, now: Date.now(), lifetimeMs: 1e9 });
  return { certificate: files.certificate, signer: readSigner(files, Date.now()) };
}

/** Agents with an authority that believes tokens of the form `NAMESPACE/ACCOUNT`, and the payloads of JWTs. */
export class AgentLab {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-agent-lab-'));
  readonly rootFile = path.join(this.folder, 'root-cert.pem');
  readonly log: string[] = [];
  /** By what was asked, in order. */
  readonly proofs: Proof['by'][] = [];
  /** Of the agent that was started last. */
  metrics = new Registry();
  readonly #ends: (() => void)[] = [];
  isAway = false;
  lifetimeMs = 3_600_000;

  constructor(public root: Root) {
    this.trust(root);
  }

  trust(...roots: readonly Root[]): void {
    fs.writeFileSync(this.rootFile, roots.map(({ certificate }) => certificate).join(''));
  }

  readonly ask = (csr: string, proof: Proof): Promise<readonly string[]> =>
    Promise.resolve().then(() => {
      this.proofs.push(proof.by);
      if (this.isAway) throw new Error('away');
      const request = readCertificateRequest(csr);
      const now = Date.now();
      const { lifetimeMs } = this;
      return issueCertificate(this.root.signer, { identity: identityOf(proof), request, lifetimeMs, now }).chain;
    });

  readonly logger = new JsonLogger({ name: 'agent', destination: { write: (line) => void this.log.push(line) } });

  async start(options: Partial<AgentOptions> = {}): Promise<AgentService> {
    const watcher = new FileWatcher(20);
    this.metrics = new Registry();
    const agent = new AgentService({
      rootCertFile: this.rootFile,
      trustDomain,
      workloads: [],
      keyType: 'ecdsa-p256',
      authority: () => this.ask,
      watchFile: watcher.watch,
      logger: this.logger,
      metrics: new AgentMetrics(this.metrics),
      now: Date.now,
      random: Math.random,
      later: (run, ms) => {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
      ...options,
    });
    this.onEnd(() => {
      agent.stop();
      watcher.close();
    });
    await agent.start();
    return agent;
  }

  onEnd(end: () => void): void {
    this.#ends.push(end);
  }

  end(): void {
    for (const end of this.#ends.splice(0).reverse()) end();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  async until(condition: () => boolean): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`it did not come: ${this.log.slice(-20).join('')}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Asks as Envoy does, until something comes. */
  async sotw(socket: string, names: readonly string[], token?: string): Promise<SdsClient> {
    return await sotw((end) => this.onEnd(end), socket, names, token);
  }
}

function identityOf(proof: Proof) {
  if (proof.by === 'certificate') {
    const [leaf = ''] = splitCertificates(proof.chain);
    const identity = parseWorkloadId(/URI:(\S+)/.exec(new X509Certificate(leaf).subjectAltName ?? '')?.[1] ?? '');
    if (!identity) throw new Error('of nobody');
    return identity;
  }
  const [, payload] = proof.token.split('.');
  const subject = payload
    ? (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { readonly sub: string }).sub
    : proof.token;
  const [namespace = '', serviceAccount = ''] = subject.replace('system:serviceaccount:', '').split(/[:/]/);
  return { trustDomain, namespace, serviceAccount };
}

/** A service account token as kubelet has it; who would verify the signature is not here. */
export function podToken(account: string, uid: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: `system:serviceaccount:default:${account}`, 'kubernetes.io': { pod: { uid } } };
  return `${part({ alg: 'RS256' })}.${part(claims)}.c2lnbmF0dXJl`;
}

export type SdsClient = SdsTestStream<DiscoveryRequest, DiscoveryResponse>;

const clientClass = makeGenericClientConstructor(secretDiscoveryService, 'sds');

/** A stream as Envoy has it; remembers what came. */
export class SdsTestStream<Request, Response> {
  readonly responses: Response[] = [];
  error: ServiceError | undefined;
  readonly #call: ClientDuplexStream<Request, Response>;

  constructor(
    onEnd: (end: () => void) => void,
    socket: string,
    method: 'StreamSecrets' | 'DeltaSecrets',
    token?: string,
  ) {
    const client = new clientClass(`unix:${socket}`, credentials.createInsecure());
    const metadata = new Metadata();
    if (token !== undefined) metadata.set('authorization', token);
    const { path: name, requestSerialize, responseDeserialize } = secretDiscoveryService[method];
    this.#call = client.makeBidiStreamRequest(
      name,
      requestSerialize as (request: Request) => Buffer,
      responseDeserialize as unknown as (bytes: Buffer) => Response,
      metadata,
    );
    this.#call.on('data', (response: Response) => this.responses.push(response));
    this.#call.on('error', (error: ServiceError) => (this.error = error));
    onEnd(() => client.close());
  }

  send(request: Request): void {
    this.#call.write(request);
  }

  async until(condition: () => boolean): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!condition()) {
      if (Date.now() > deadline)
        throw new Error(`nothing came: ${this.error?.message ?? JSON.stringify(this.responses)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

export async function sotw(
  onEnd: (end: () => void) => void,
  socket: string,
  names: readonly string[],
  token?: string,
): Promise<SdsClient> {
  const stream: SdsClient = new SdsTestStream(onEnd, socket, 'StreamSecrets', token);
  stream.send(create(DiscoveryRequestSchema, { resourceNames: [...names], typeUrl: TypeUrl.secret }));
  await stream.until(() => stream.responses.length > 0 || stream.error !== undefined);
  return stream;
}

export function secretIn(response: DiscoveryResponse | undefined, index = 0): Secret {
  return fromBinary(SecretSchema, response!.resources[index]!.value);
}

export function text(source: { readonly specifier: { readonly value?: unknown } } | undefined): string {
  return Buffer.from(source!.specifier.value as Uint8Array).toString();
}

export function chainOf(secret: Secret): readonly X509Certificate[] {
  if (secret.type.case !== 'tlsCertificate') throw new Error('no certificate');
  const key = createPrivateKey(text(secret.type.value.privateKey));
  const chain = splitCertificates(text(secret.type.value.certificateChain)).map((pem) => new X509Certificate(pem));
  if (!chain[0]?.checkPrivateKey(key)) throw new Error('the key is of another certificate');
  return chain;
}
