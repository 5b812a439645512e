import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ServerCredentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Adapter, Templates } from '@seine/mixer';
import { makeAdapter, problemsOf, TestContext, testRim } from '../testing/adapter.fixture.js';
import { testCertificate } from '../testing/certificates.fixture.js';
import { HttpServer } from '../testing/http-server.fixture.js';
import { AdapterServer } from './adapter-server.fixture.js';
import { grpc } from './grpc.js';

const kind = grpc(testRim());
const entry = { instance: 'keys.listentry.default', value: 'a' };
const types = { template: 'listentry', maps: {} } as const;

let server: AdapterServer;
let context: TestContext;
let adapter: Adapter | undefined;
beforeEach(() => {
  server = new AdapterServer();
  context = new TestContext({ handler: 'keys.handler.default', instances: { 'keys.listentry.default': types } });
});
afterEach(async () => {
  await adapter?.close?.();
  adapter = undefined;
  server.close();
});

const made = async (connection: object = {}): Promise<Adapter> => {
  const given = {
    adapter: 'keys',
    connection: { address: server.address, timeout: '10s', ...connection },
    params: { realm: 'x' },
  };
  return (adapter = await makeAdapter(kind, given, context));
};

describe('grpc', () => {
  beforeEach(() => server.listen());

  it('asks whether a request may go on, and takes the whole answer', async () => {
    server.answer = () => ({ code: 7, message: 'No', validMs: 5000, validUses: 3, output: { team: 'a' } });
    const verdict = await (await made()).listentry!(entry);
    expect(verdict).toEqual({
      code: 7,
      message: 'No',
      validMs: 5000,
      validUses: 3,
      output: new Map([['team', 'a']]),
    });
    expect(server.asked).toMatchObject([
      {
        method: 'Check',
        request: {
          handler: { name: 'keys.handler.default', adapter: 'keys', paramsJson: '{"realm":"x"}' },
          instance: { name: entry.instance, template: 'listentry', fieldsJson: '{"value":"a"}' },
        },
      },
    ]);
  });

  it('an answer that says nothing is a yes, for this request', async () => {
    expect(await (await made()).checknothing!({ instance: 'n' })).toEqual({ code: 0, validMs: 0 });
  });

  it('asks for quotas', async () => {
    server.answer = () => ({ granted: 2, validMs: 700 });
    const quota = { instance: 'q', dimensions: new Map([['source', 'a']]) };
    const verdict = await (await made()).quota!(quota, { amount: 3, bestEffort: true });
    expect(verdict).toEqual({ granted: 2, validMs: 700 });
    expect(server.asked[0]).toMatchObject({
      method: 'Quota',
      request: {
        amount: 3,
        bestEffort: true,
        instance: { template: 'quota', fieldsJson: '{"dimensions":{"source":"a"}}' },
      },
    });
  });

  it('reports, in calls of bounded size, in order', async () => {
    const log = (severity: string): Templates['logentry'] => ({
      instance: 'log',
      severity,
      timestamp: 0,
      variables: new Map([['text', 'x'.repeat(300_000)]]),
      monitoredResourceType: '',
      monitoredResourceDimensions: new Map(),
    });
    await (
      await made()
    ).logentry!(['0', '1', '2', '3', '4'].map(log));
    const calls = server.asked.map(({ request }) => request['instances'] as readonly { readonly fieldsJson: string }[]);
    expect(calls.map(({ length }) => length)).toEqual([3, 2]);
    expect(calls.flat().map(({ fieldsJson }) => (JSON.parse(fieldsJson) as { severity: string }).severity)).toEqual([
      ...['0', '1', '2', '3', '4'],
    ]);
  });

  it('an error of the adapter has its status and words', async () => {
    server.answer = () => Object.assign(new Error('no such key store'), { code: 9 });
    await expect((await made()).listentry!(entry)).rejects.toThrow(
      /^adapter at 127.*, Check: FAILED_PRECONDITION: no such key store$/,
    );
  });

  it('is not waited for longer than its time', async () => {
    server.answer = () => undefined;
    await expect((await made({ timeout: '100ms' })).listentry!(entry)).rejects.toThrow('DEADLINE_EXCEEDED');
  });

  it('is asked again when it is away for a moment; but a quota is not', async () => {
    let failures = 2;
    server.answer = () => (failures-- > 0 ? Object.assign(new Error('not now'), { code: 14 }) : {});
    expect(await (await made()).listentry!(entry)).toMatchObject({ code: 0 });
    expect(server.asked).toHaveLength(3);
    failures = 1;
    await expect(async () =>
      adapter!.quota!({ instance: 'q', dimensions: new Map() }, { amount: 1, bestEffort: false }),
    ).rejects.toThrow('UNAVAILABLE');
    expect(server.asked).toHaveLength(4);
  });

  it('is reached again when it is back', async () => {
    const one = await made();
    await one.listentry!(entry);
    const port = Number(server.address.split(':')[1]);
    server.close();
    await expect(one.listentry!(entry)).rejects.toThrow(/UNAVAILABLE|DEADLINE_EXCEEDED/);
    server = new AdapterServer();
    await server.listen(undefined, port);
    let verdict: unknown;
    // The client connects again by itself, after a pause.
    while (verdict === undefined)
      verdict = await Promise.resolve(one.listentry!(entry)).catch(
        () => new Promise((resolve) => setTimeout(resolve, 50)),
      );
    expect(verdict).toMatchObject({ code: 0 });
  });

  it.each([
    ['an address that is none', { address: 'keys' }, 'connection.address'],
    ['no address', { address: null }, 'connection.address'],
    [
      'half of a pair of key and certificate',
      { address: 'a:1', authentication: { mutual: { privateKey: 'k' } } },
      'connection.authentication.mutual.clientCertificate',
    ],
    [
      'tokens from nowhere',
      { address: 'a:1', authentication: { tls: { oauth: { clientSecret: 's' } } } },
      'connection.authentication.tls.oauth.tokenUrl',
    ],
  ])('refuses %s', (_, connection, at) => {
    expect(problemsOf(kind, { adapter: 'keys', connection })).toMatchObject([{ path: at }]);
  });
});

describe('grpc over TLS', () => {
  const root = testCertificate('root');
  const own = testCertificate('keys.example', root);
  const client = testCertificate('mixer.example', root);
  let dir: string;
  const write = async (name: string, text: string): Promise<string> => {
    const file = path.join(dir, name);
    await writeFile(file, text);
    return file;
  };
  const listen = (mutual: boolean): Promise<void> =>
    server.listen(
      ServerCredentials.createSsl(
        Buffer.from(root.certificate),
        [{ private_key: Buffer.from(own.key), cert_chain: Buffer.from(own.certificate) }],
        mutual,
      ),
    );
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'grpc-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('knows the adapter by its roots and name', async () => {
    await listen(false);
    const caCertificates = await write('root.pem', root.certificate);
    const tls = (serverName: string) => ({ authentication: { tls: { caCertificates, serverName } } });
    expect(await (await made(tls('keys.example'))).listentry!(entry)).toMatchObject({ code: 0 });
    await adapter!.close?.();
    await expect((await made(tls('other.example'))).listentry!(entry)).rejects.toThrow('UNAVAILABLE');
    await adapter!.close?.();
    await expect((await made()).listentry!(entry)).rejects.toThrow(/UNAVAILABLE|DEADLINE_EXCEEDED/);
    expect(server.asked).toHaveLength(1);
  });

  it('shows its own certificate', async () => {
    await listen(true);
    const mutual = {
      caCertificates: await write('root.pem', root.certificate),
      clientCertificate: await write('client.pem', client.certificate),
      privateKey: await write('client.key', client.key),
      serverName: 'keys.example',
    };
    expect(await (await made({ authentication: { mutual } })).listentry!(entry)).toMatchObject({ code: 0 });
    await adapter!.close?.();
    const tls = { caCertificates: mutual.caCertificates, serverName: mutual.serverName };
    await expect((await made({ authentication: { tls } })).listentry!(entry)).rejects.toThrow('UNAVAILABLE');
  });

  it('takes new certificates when they are there, and keeps the old where the new are none', async () => {
    await listen(true);
    const stranger = testCertificate('mixer.example', testCertificate('another root'));
    const mutual = {
      caCertificates: await write('root.pem', root.certificate),
      clientCertificate: await write('client.pem', stranger.certificate),
      privateKey: await write('client.key', stranger.key),
      serverName: 'keys.example',
    };
    const one = await made({ authentication: { mutual } });
    await expect(one.listentry!(entry)).rejects.toThrow('UNAVAILABLE');
    await write('client.pem', client.certificate);
    await write('client.key', client.key);
    await context.pass(60_000);
    expect(await one.listentry!(entry)).toMatchObject({ code: 0 });
    await write('client.key', 'half a key');
    await context.pass(60_000);
    expect(await one.listentry!(entry)).toMatchObject({ code: 0 });
    expect(context.warnings).toEqual([expect.stringContaining('cannot be read')]);
  });

  it('a file that is not there keeps the handler from being made', async () => {
    await server.listen();
    const authentication = { tls: { caCertificates: path.join(dir, 'none.pem') } };
    await expect(made({ authentication })).rejects.toThrow('ENOENT');
  });

  it.each([
    ['PLAIN', undefined, 'authorization', 'secret'],
    ['BEARER', undefined, 'authorization', 'Bearer secret'],
    ['BEARER', 'x-api-key', 'x-api-key', 'secret'],
  ])('sends a token of a file, %s in %s', async (authHeader, customHeader, name, value) => {
    await listen(false);
    const tls = {
      caCertificates: await write('root.pem', root.certificate),
      serverName: 'keys.example',
      tokenPath: await write('token', 'secret\n'),
      authHeader,
      ...(customHeader && { customHeader }),
    };
    await (
      await made({ authentication: { tls } })
    ).listentry!(entry);
    expect(server.asked[0]!.metadata.get(name)).toEqual([value]);
  });

  it('gets tokens of an authorization server, one as long as it holds', async () => {
    await listen(false);
    const authority = await HttpServer.listen();
    authority.answer = () => ({
      body: JSON.stringify({ access_token: `t${authority.requests.length}`, expires_in: 60 }),
    });
    const tls = {
      caCertificates: await write('root.pem', root.certificate),
      serverName: 'keys.example',
      authHeader: 'BEARER',
      oauth: {
        clientId: 'mixer',
        clientSecret: await write('secret', 's3cret\n'),
        tokenUrl: `${authority.url}/token`,
        scopes: ['a', 'b'],
        endpointParams: { audience: 'keys' },
      },
    };
    const one = await made({ authentication: { tls } });
    await one.listentry!(entry);
    await one.listentry!(entry);
    context.time += 31_000;
    await one.listentry!(entry);
    expect(server.asked.map(({ metadata }) => metadata.get('authorization')[0])).toEqual([
      ...['Bearer t1', 'Bearer t1', 'Bearer t2'],
    ]);
    expect(Object.fromEntries(new URLSearchParams(authority.requests[0]!.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'mixer',
      client_secret: 's3cret',
      scope: 'a b',
      audience: 'keys',
    });
    authority.answer = () => ({ status: 401 });
    context.time += 31_000;
    await expect(one.listentry!(entry)).rejects.toThrow('answers 401');
    await authority.close();
  });
});
