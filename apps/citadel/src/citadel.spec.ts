import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  certificateApiLoaderOptions,
  certificateApiProto,
  type CertificateRequestMessage,
  type CertificateResponseMessage,
} from '@seine/api';
import type { AuditRecord } from '@seine/ca';
import { createLocalJWKSet, exportJWK, SignJWT } from 'jose';
import { byOidcToken } from '@seine/identity';
import { certificateApiServer, CitadelModule } from './citadel.module.js';
import { CitadelService } from './citadel.service.js';
import { Followers } from './followers.js';
import { DenialFile } from './state/deny-list.js';
import { JoinGrantFiles } from './state/join-grant-files.js';
import { SigningDirectory } from './state/signing-directory.js';

type Callback = (error: ServiceError | null, response?: CertificateResponseMessage) => void;
interface Client {
  createCertificate(request: CertificateRequestMessage, metadata: Metadata, callback: Callback): void;
  close(): void;
}
type ClientClass = new (address: string, channel: ReturnType<typeof credentials.createSsl>) => Client;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-citadel-'));
const keyFile = path.join(folder, 'key.pem');
const issuer = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const audit: AuditRecord[] = [];
const refusals: string[] = [];
const reviews = { namespace: 'default', serviceAccount: 'bookinfo-reviews' };
const reviewsId = 'spiffe://cluster.local/ns/default/sa/bookinfo-reviews';
let citadel: CitadelService;
let app: INestApplication;
let port: number;
let csr: string;

async function freePort(): Promise<number> {
  const server = (await import('node:net')).createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const found = (server.address() as { readonly port: number }).port;
  await new Promise((resolve) => server.close(resolve));
  return found;
}

function openDirectory(stateDir: string): Promise<SigningDirectory> {
  return SigningDirectory.open({
    stateDir,
    trustDomain: 'cluster.local',
    now: () => Date.now(),
    rootLifetimeMs: 1e9,
    onProblem: (problem) => refusals.push(problem),
  });
}

beforeAll(async () => {
  csr = execFileSync(
    'openssl',
    [
      'req',
      '-new',
      '-nodes',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-keyout',
      keyFile,
      '-subj',
      '/O=me',
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  ).toString();
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(issuer.publicKey)), kid: 'one', alg: 'RS256' }] });
  const now = () => Date.now();
  const stateDir = path.join(folder, 'state');
  fs.mkdirSync(stateDir);
  citadel = await CitadelService.start({
    stateDir,
    trustDomain: 'cluster.local',
    keeper: await openDirectory(stateDir),
    denials: new DenialFile(stateDir, (problem) => refusals.push(problem)),
    joinGrants: new JoinGrantFiles(stateDir),
    followers: new Followers(stateDir, now),
    spreadMs: 60_000,
    onProblem: (problem) => refusals.push(problem),
    lifetimes: { fallback: 3600, maximum: 7200 },
    dnsNames: ['istiod.istio-system.svc', 'localhost'],
    authenticators: [
      byOidcToken({ issuer: 'https://k8s', audience: 'istio-ca', keys, trustDomain: 'cluster.local', now }),
    ],
    audit: (record) => audit.push(record),
    onRefused: (_address, reason) => refusals.push(reason),
    now,
    random: () => 0.5,
    later: () => () => undefined,
  });
  port = await freePort();
  app = await NestFactory.create(CitadelModule.register(citadel), { logger: false });
  app.connectMicroservice(certificateApiServer(citadel, `127.0.0.1:${port}`));
  await app.init();
  await app.startAllMicroservices();
});
afterAll(async () => {
  await app.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

const definition = loadPackageDefinition(loadSync(fileURLToPath(certificateApiProto), certificateApiLoaderOptions));
const service = (definition as unknown as { istio: { v1: { auth: { IstioCertificateService: ClientClass } } } }).istio
  .v1.auth.IstioCertificateService;

interface Asking {
  readonly bearer?: string;
  readonly certificate?: { readonly key: Buffer; readonly chain: Buffer };
  readonly request?: Partial<CertificateRequestMessage>;
}

async function ask({ bearer, certificate, request }: Asking): Promise<CertificateResponseMessage> {
  const roots = Buffer.from(citadel.roots());
  const client = new service(
    `localhost:${port}`,
    credentials.createSsl(roots, certificate?.key ?? null, certificate?.chain ?? null),
  );
  const metadata = new Metadata();
  if (bearer !== undefined) metadata.set('authorization', `Bearer ${bearer}`);
  try {
    return await new Promise((resolve, reject) => {
      client.createCertificate({ csr, validityDuration: 0, ...request }, metadata, (error, response) => {
        if (error || !response) reject(new Error(error ? `${error.code} ${error.details}` : 'nothing'));
        else resolve(response);
      });
    });
  } finally {
    client.close();
  }
}

const token = (
  key = issuer.privateKey,
  change: { sub?: string; aud?: string; iss?: string; exp?: string; alg?: string } = {},
) =>
  new SignJWT({})
    .setProtectedHeader({ alg: change.alg ?? 'RS256', kid: 'one' })
    .setIssuer(change.iss ?? 'https://k8s')
    .setAudience(change.aud ?? 'istio-ca')
    .setSubject(change.sub ?? 'system:serviceaccount:default:bookinfo-reviews')
    .setExpirationTime(change.exp ?? '1h')
    .sign(key);

const nameIn = (pem: string): string => new X509Certificate(pem).subjectAltName ?? '';

describe('CreateCertificate', () => {
  it('C-10 signs for the account of a platform’s token', async () => {
    const { certChain } = await ask({ bearer: await token() });
    expect(certChain.map(nameIn)).toEqual([`URI:${reviewsId}`, 'URI:spiffe://cluster.local']);
    expect(audit.at(-1)).toMatchObject({ event: 'issued', spiffeId: reviewsId, by: 'oidc', address: '127.0.0.1' });
  });

  it('signs once for a join token', async () => {
    const bearer = citadel.createJoinToken(reviews, 60_000);
    expect(nameIn((await ask({ bearer })).certChain[0]!)).toBe(`URI:${reviewsId}`);
    await expect(ask({ bearer })).rejects.toThrow(/^16 the caller’s identity is not proved|^16 the caller/);
    expect(refusals.at(-1)).toMatch(/used up/);
  });

  it('C-12 renews by the certificate that it signed', async () => {
    const { certChain } = await ask({ bearer: await token() });
    const certificate = { key: fs.readFileSync(keyFile), chain: Buffer.from(certChain.join('')) };
    expect(nameIn((await ask({ certificate })).certChain[0]!)).toBe(`URI:${reviewsId}`);
    expect(audit.at(-1)).toMatchObject({ by: 'certificate' });
  });

  it('C-12 does not renew by a certificate of somebody else’s root that says the same', async () => {
    const req = [
      'req',
      '-x509',
      '-new',
      '-key',
      keyFile,
      '-days',
      '1',
      '-subj',
      '/',
      '-addext',
      `subjectAltName=URI:${reviewsId}`,
    ];
    const chain = execFileSync('openssl', [...req, '-addext', 'basicConstraints=critical,CA:FALSE'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await expect(ask({ certificate: { key: fs.readFileSync(keyFile), chain } })).rejects.toThrow(/^16 /);
    expect(refusals.at(-1)).toMatch(/no credentials/);
  });

  it.each<[string, () => Promise<string | undefined> | string | undefined, RegExp]>([
    ['nothing', () => undefined, /no credentials/],
    ['junk', () => 'junk', /Invalid Compact JWS/],
    ['an unknown join token', () => 'seine-join.xyz', /not known/],
    ['a token that has expired', () => token(undefined, { exp: '-1m' }), /exp/],
    ['a token for another audience', () => token(undefined, { aud: 'vault' }), /aud/],
    ['a token of another issuer', () => token(undefined, { iss: 'https://evil' }), /iss/],
    ['a token of another key', () => token(stranger.privateKey), /signature/],
    ['a token of a user', () => token(undefined, { sub: 'alice' }), /no service account/],
  ])('C-9 refuses who shows %s, without saying why', async (_name, bearer, reason) => {
    const shown = await bearer();
    await expect(ask(shown === undefined ? {} : { bearer: shown })).rejects.toThrow(/^16 the caller/);
    expect(refusals.at(-1)).toMatch(reason);
  });

  it('C-9 refuses a token that is signed with the public key as a secret', async () => {
    const secret = new TextEncoder().encode(issuer.publicKey.export({ format: 'pem', type: 'spki' }).toString());
    const forged = await new SignJWT({})
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .setIssuer('https://k8s')
      .setAudience('istio-ca')
      .setSubject('system:serviceaccount:a:b')
      .setExpirationTime('1h')
      .sign(secret);
    await expect(ask({ bearer: forged })).rejects.toThrow(/^16 /);
  });

  it.each([
    ['C-8 junk for a request', { csr: 'junk' }, /^3 not a certificate request/],
    ['C-13 too long a life', { validityDuration: 7201 }, /^3 a lifetime of 7201 s is longer/],
  ])('refuses %s with a reason', async (_name, request, message) => {
    await expect(ask({ bearer: await token(), request })).rejects.toThrow(message);
  });

  it('gives a denied identity nothing', async () => {
    const sub = 'system:serviceaccount:default:revoked';
    expect((await ask({ bearer: await token(undefined, { sub }) })).certChain).toHaveLength(2);
    citadel.deny('spiffe://cluster.local/ns/default/sa/revoked');
    await expect(ask({ bearer: await token(undefined, { sub }) })).rejects.toThrow(/^7 .* is revoked/);
  });
});

describe('citadel', () => {
  it('serves with a certificate of its own, by the names that agents know', async () => {
    const socket = tls.connect({
      port,
      host: '127.0.0.1',
      servername: 'istiod.istio-system.svc',
      ca: citadel.roots(),
      ALPNProtocols: ['h2'],
    });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    expect(socket.getPeerX509Certificate()?.subjectAltName).toBe(
      'URI:spiffe://cluster.local/ns/istio-system/sa/citadel, DNS:istiod.istio-system.svc, DNS:localhost',
    );
    socket.destroy();
  });

  it('C-22 keeps its key to itself', async () => {
    const state = path.join(folder, 'own');
    const { active } = (await openDirectory(state)).state();
    expect(fs.readdirSync(path.join(state, 'ca')).sort()).toEqual(['authority.1.json', 'root-cert.pem']);
    expect(fs.statSync(path.join(state, 'ca')).mode & 0o777).toBe(0o700);
    expect(fs.statSync(path.join(state, 'ca/authority.1.json')).mode & 0o777).toBe(0o600);
    expect(fs.readFileSync(path.join(state, 'ca/root-cert.pem'), 'utf8')).toBe(active.root);
    expect(JSON.stringify(audit)).not.toMatch(/PRIVATE|eyJ/);
  });

  it('C-17 has one root for all that start on a directory at once', async () => {
    const state = path.join(folder, 'shared');
    const opened = await Promise.all(Array.from({ length: 8 }, () => openDirectory(state)));
    expect(new Set(opened.map((keeper) => keeper.state().active.root)).size).toBe(1);
  });

  it('C-19 shows its bundle', () => {
    expect(citadel.bundle()).toMatchObject({ keys: [{ use: 'x509-svid' }], spiffe_sequence: 1 });
  });
});
