import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createServer as createHttp2Server, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { shopCertificate, shopKey } from '@seine/testing';
import { run } from '../program.js';
import { FakeHttp } from '../testing/fake-http.js';
import { FakeIo } from '../testing/fake-io.js';
import { FakeState, runWorkload } from '../testing/fake-state.js';

const read = (name: string): string =>
  readFileSync(new URL(`../proxy-config/testdata/${name}`, import.meta.url), 'utf8');

let io: FakeIo;
let state: FakeState;
let http: FakeHttp;
let url: string;
let port: number;

async function serve(answers: Record<string, string>): Promise<void> {
  http = new FakeHttp(answers);
  port = await http.start();
  url = `http://127.0.0.1:${port}`;
}

beforeEach(async () => {
  io = new FakeIo();
  state = await FakeState.create({});
  io.env['SEINE_STATE'] = state.dir;
  await serve({
    '/': 'hello',
    '/config_dump?include_eds': read('config-dump.json'),
    '/clusters?format=json': read('clusters.json'),
  });
});
afterEach(async () => {
  await http.stop();
  await state.remove();
});

describe('workloads', () => {
  const workload = runWorkload({});

  it('prints the documented fields as JSON', async () => {
    await state.write({ workloads: [workload] });
    expect(await run(['workloads', '-o', 'json'], io)).toBe(0);
    expect(JSON.parse(io.stdout)).toEqual([{ ...workload, proxyId: undefined }]);
  });

  it('prints a table', async () => {
    await state.write({ workloads: [workload] });
    expect(await run(['workloads'], io)).toBe(0);
    expect(io.stdout).toMatch(/^NAME +NAMESPACE .*\nproductpage-v1 +default +productpage +v1 .* 127\.1\.0\.2:9080 /);
  });
});

describe('status', () => {
  let grpc: Http2Server;
  beforeEach(async () => {
    grpc = createHttp2Server();
    await new Promise<void>((resolve) => grpc.listen(0, '127.0.0.1', resolve));
    const xds = `http://127.0.0.1:${(grpc.address() as AddressInfo).port}`;
    // Port 1 refuses; an HTTP/1.1 server on a gRPC port is no answer.
    await state.write({ urls: { ingress: url, xds, configApi: url, pilotAdmin: 'http://127.0.0.1:1' } });
  });
  afterEach(() => new Promise((resolve) => grpc.close(resolve)));

  it('takes a certificate as the answer of a TLS port, whoever’s it is', async () => {
    const secure = createTlsServer({ key: shopKey, cert: shopCertificate, requestCert: true });
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const citadel = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
    // One that speaks no TLS is none.
    const xds = `https://127.0.0.1:${(grpc.address() as AddressInfo).port}`;
    await state.write({ urls: { citadel, xds } });
    expect(await run(['status', '-o', 'json'], io)).toBe(0);
    expect(JSON.parse(io.stdout)).toEqual({ citadel });
    await new Promise((resolve) => secure.close(resolve));
  });

  it('JSON holds only what answers', async () => {
    expect(await run(['status', '-o', 'json'], io)).toBe(0);
    expect(Object.keys(JSON.parse(io.stdout) as object)).toEqual(['ingress', 'xds']);
  });

  it('the table shows what does not answer, and the exit code tells', async () => {
    expect(await run(['status'], io)).toBe(1);
    expect(io.stdout).toMatch(/^mesh of process \d+, up 10m, 0 workloads\n/);
    expect(io.stdout).toMatch(/pilotAdmin +http:\/\/127\.0\.0\.1:1 +no\n/);
    expect(io.stderr).toBe('error: not all of the mesh answers\n');
  });
});

describe('proxy-config', () => {
  beforeEach(() => state.write({ workloads: [runWorkload({ adminPort: port })] }));

  it.each([
    [
      ['clusters', 'productpage-v1', '--subset', 'v3'],
      /^SERVICE FQDN .*\nreviews\.default\.svc\.cluster\.local +9080 +v3/,
    ],
    [['listener', 'productpage-v1.default', '--port', '3306'], /^ADDRESSES .*\n10\.0\.0\.5 +3306/],
    [['r', 'productpage', '--name', 'http_proxy'], /^NAME .*\nhttp_proxy +block_all/],
    [['endpoints', 'productpage', '--fqdn', 'ratings'], /^ENDPOINT .*\n127\.1\.0\.21:9080 +HEALTHY/],
    [['bootstrap', 'productpage'], /^\{\n {2}"bootstrap": \{\n {4}"node"/],
    [['bootstrap', 'productpage', '-o', 'yaml'], /^bootstrap:\n {2}node:/],
    [['all', 'productpage'], /^CLUSTERS\nSERVICE FQDN[^]*\n\nLISTENERS\n[^]*\n\nROUTES\n[^]*\n\nENDPOINTS\n/],
  ])('%j', async (args, stdout) => {
    expect(await run(['proxy-config', ...args], io)).toBe(0);
    expect(io.stdout).toMatch(stdout);
  });

  it('prints the resources themselves as JSON', async () => {
    expect(await run(['pc', 'clusters', 'productpage', '--subset', 'v3', '-o', 'json'], io)).toBe(0);
    expect(JSON.parse(io.stdout)).toMatchObject([
      { type: 'EDS', name: 'outbound|9080|v3|reviews.default.svc.cluster.local' },
    ]);
  });

  it('warns of what this Envoy refused', async () => {
    await run(['pc', 'listeners', 'productpage'], io);
    expect(io.stderr).toMatch(/^warning: Envoy refused the listener broken: /);
  });

  it('says which Envoy does not answer', async () => {
    await state.write({ workloads: [runWorkload({ adminPort: 1 })] });
    expect(await run(['pc', 'routes', 'productpage'], io)).toBe(1);
    expect(io.stderr).toMatch(
      /^error: the Envoy of productpage-v1\.default does not answer at http:\/\/127\.0\.0\.1:1\//,
    );
  });

  it('names the workloads there are', async () => {
    expect(await run(['pc', 'routes', 'nobody'], io)).toBe(1);
    expect(io.stderr).toBe('error: there is no workload nobody; there is productpage-v1.default\n');
  });
});

describe('proxy-status', () => {
  const types = { cds: { status: 'SYNCED', sent: 'a', acked: 'a' } };
  const proxy = { id: 'p', name: 'reviews-v1', namespace: 'default', type: 'sidecar', cluster: 'Kubernetes' };
  const good = { ...proxy, envoyVersion: '1.40.0', connected: true, ackedRevision: 4, synced: true, types };
  const nack = { message: 'bad listener', at: '2026-01-01T00:09:00Z' };
  const bad = { ...good, name: 'broken', types: { lds: { status: 'REJECTED', sent: 'b', acked: 'a', nack } } };
  const late = { ...good, name: 'late', synced: false };

  it.each([
    ['all well', [good], ['ps'], 0, /reviews-v1\.default +Kubernetes +SYNCED +NOT SENT +NOT SENT/, /^$/],
    [
      'a refusal',
      [good, bad],
      ['ps'],
      1,
      /REJECTED \(60s\)[^]*\n {4}LDS refused: bad listener\n/,
      /broken\.default refused/,
    ],
    ['another one asked for', [good, bad], ['ps', 'reviews-v1.default'], 0, /reviews-v1/, /^$/],
    ['the beginning of a name', [good, bad], ['ps', 'rev'], 0, /\nreviews-v1\.default/, /^$/],
    ['nobody of that name', [good], ['ps', 'x'], 1, /^$/, /there is no workload x; there is reviews-v1\.default/],
    ['nobody', [], ['ps'], 0, /^$/, /^no proxy is connected\n$/],
    [
      'somebody late',
      [good, late],
      ['ps', '--wait', '--timeout', '1s'],
      1,
      /late/,
      /not acknowledged after 1s by late\./,
    ],
    ['late, not waited for', [late], ['ps', '-o', 'json'], 0, /"synced": false/, /^$/],
  ])('%s', async (_case, proxies, args, code, stdout, stderr) => {
    await http.stop();
    const answer = JSON.stringify({ revision: 4, proxies });
    await serve({ '/debug/syncz': answer, '/debug/syncz?wait=1s': answer });
    expect(await run([...args, '--pilot-admin', url], io)).toBe(code);
    expect(io.stdout).toMatch(stdout);
    expect(io.stderr).toMatch(stderr);
  });

  it('says what went wrong at pilot', async () => {
    expect(await run(['ps', '--pilot-admin', url], io)).toBe(1);
    expect(io.stderr).toBe(`error: pilot's admin port at ${url}/debug/syncz answered 404: no such page\n`);
  });
});
