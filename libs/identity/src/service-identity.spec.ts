import tls from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  issueCertificate,
  makeRoot,
  readCertificateRequest,
  readSigner,
  type SigningFiles,
  type WorkloadIdentity,
} from '@seine/ca';
import { AuthorityError } from '@seine/sds';
import { judgePeer } from './peer.js';
import { serviceAccount } from './service-arguments.js';
import { ServiceIdentity } from './service-identity.js';
import { TlsServer } from './tls-server.js';

const hour = 3_600_000;
const pilot = serviceAccount('pilot', 'cluster.local');
const root = (): Promise<SigningFiles> =>
  makeRoot({ trustDomain: 'cluster.local', now: Date.now(), lifetimeMs: 24 * hour });

/** A service under a test's control: its files, its citadel, its clock. */
class Fixture {
  readonly warnings: string[] = [];
  readonly proofs: string[] = [];
  readonly timers: { readonly run: () => void; readonly ms: number }[] = [];
  answerAs: WorkloadIdentity = pilot;
  files: SigningFiles;
  time = Date.now();
  roots: ((text: string | undefined) => void) | undefined;
  token: ((text: string | undefined) => void) | undefined;
  readonly identity: ServiceIdentity;

  constructor(
    files: SigningFiles,
    firstToken: string | null = 'token\n',
    firstRoots: string | undefined = files.roots,
  ) {
    this.files = files;
    this.identity = new ServiceIdentity({
      identity: pilot,
      authority: () => (csr, proof) => {
        this.proofs.push(proof.by === 'token' ? proof.token : proof.by);
        if (proof.by === 'token' && proof.token !== 'token') throw new AuthorityError('not believed', true);
        const request = readCertificateRequest(csr);
        const about = { identity: this.answerAs, request, lifetimeMs: hour, now: this.time };
        return Promise.resolve(issueCertificate(readSigner(this.files, this.time), about).chain);
      },
      roots: (onText) => {
        this.roots = onText;
        onText(firstRoots);
        return () => (this.roots = undefined);
      },
      token: (onText) => {
        this.token = onText;
        onText(firstToken ?? undefined);
        return () => (this.token = undefined);
      },
      onWarning: (message) => this.warnings.push(message),
      now: () => this.time,
      random: () => 0.5,
      later: (run, ms) => {
        const timer = { run, ms };
        this.timers.push(timer);
        return () => void this.timers.splice(this.timers.indexOf(timer), 1);
      },
    });
  }

  /** Lets the time come for what is due. */
  pass(ms: number): void {
    this.time += ms;
    for (const timer of this.timers.splice(0)) timer.run();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a service with an identity', () => {
  let fixture: Fixture;
  let server: TlsServer | undefined;
  afterEach(() => {
    server?.close();
    fixture.identity.stop();
    expect([fixture.roots, fixture.token]).toEqual([undefined, undefined]);
  });

  it('has nothing to show at first, then its own certificate, renewed by itself', async () => {
    fixture = new Fixture(await root());
    const { identity } = fixture;
    expect(identity.material).toBeUndefined();
    identity.start();
    await identity.whenReady();
    const first = identity.material;
    expect(first).toMatchObject({ roots: fixture.files.roots });
    fixture.pass(hour / 2 + 60_000);
    await fixture.until(() => identity.material?.chain !== first?.chain);
    expect(fixture.proofs).toEqual(['token', 'certificate']);
    expect(fixture.warnings).toEqual([]);
  });

  it('has nothing to show any more when the certificate has expired', async () => {
    fixture = new Fixture(await root());
    fixture.identity.start();
    await fixture.identity.whenReady();
    fixture.time += 2 * hour;
    expect(fixture.identity.material).toBeUndefined();
  });

  it('asks for nothing that it cannot judge, and says what is missing', async () => {
    fixture = new Fixture(await root(), null, 'no certificate');
    fixture.identity.start();
    await fixture.until(() => fixture.warnings.length >= 2);
    expect(fixture.warnings).toEqual([
      'the file of roots holds no certificate in PEM',
      expect.stringContaining('no certificate for spiffe://cluster.local/ns/istio-system/sa/pilot: there is no token'),
    ]);
    expect(fixture.proofs).toEqual([]);
    fixture.roots?.(fixture.files.roots);
    fixture.token?.('token');
    await fixture.identity.whenReady();
  });

  it('takes no certificate of another identity', async () => {
    fixture = new Fixture(await root());
    fixture.answerAs = serviceAccount('mixer', 'cluster.local');
    fixture.identity.start();
    await fixture.until(() => fixture.warnings.length > 0);
    expect(fixture.warnings[0]).toContain('sa/mixer where');
    expect(fixture.identity.material).toBeUndefined();
  });

  it('keeps its roots when their file is broken, and tells of new ones', async () => {
    fixture = new Fixture(await root());
    const { identity } = fixture;
    identity.start();
    await identity.whenReady();
    let changes = 0;
    const end = identity.onChange(() => changes++);
    fixture.roots?.(undefined);
    expect(fixture.warnings).toEqual(['the file of roots is not there; the roots that were there are kept']);
    expect([identity.rootsPem, changes]).toEqual([fixture.files.roots, 0]);
    const both = fixture.files.roots + (await root()).roots;
    fixture.roots?.(both);
    expect([identity.rootsPem, changes]).toEqual([both, 1]);
    end();
    fixture.roots?.(fixture.files.roots);
    expect(changes).toBe(1);
  });

  it('serves TLS as soon as it has a certificate, and tells whom a client proves to be', async () => {
    fixture = new Fixture(await root(), null);
    const { identity } = fixture;
    identity.start();
    const seen: unknown[] = [];
    const failed: string[] = [];
    server = new TlsServer({
      identity,
      onConnection: (socket, chain) => {
        seen.push(chain.length === 0 ? 'nobody' : judgePeer(chain, identity.bundles, Date.now()));
        socket.end();
      },
      onHandshakeError: (_peer, error) => failed.push(error.message),
    });
    const port = await server.listen('127.0.0.1', 0);
    const connect = (own: { key?: string; cert?: string } = {}) =>
      new Promise<string>((resolve) => {
        const socket = tls.connect({
          port,
          host: '127.0.0.1',
          rejectUnauthorized: false,
          ALPNProtocols: ['h2'],
          ...own,
        });
        socket
          .on('error', () => resolve('refused'))
          .on('close', () => resolve('served'))
          .resume();
      });
    expect(await connect()).toBe('refused');
    await fixture.until(() => failed.length > 0);
    fixture.token?.('token');
    await identity.whenReady();
    expect(await connect()).toBe('served');
    const { key, chain } = identity.material!;
    expect(await connect({ key, cert: chain })).toBe('served');
    expect(seen).toEqual(['nobody', { identity: pilot }]);
  });
});
