import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { documents, EchoServer, podYaml, type Reply, type Seen, serviceYaml, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
const url = 'http://sticky:8080/';
const late = '127.0.99.7';
let mesh: TestMesh;
let lateEcho: EchoServer;

/** A Service of the same workloads, with a label. */
const labelled = (label: string, value: string) =>
  serviceYaml({ name: 'sticky', selector: { app: 'reviews' } }).replace(
    'namespace: default }',
    `namespace: default, labels: { ${label}: '${value}' } }`,
  );

beforeAll(async () => {
  lateEcho = await EchoServer.listen('reviews-v4', late, 8080);
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1' }, { name: 'reviews-v2' }, { name: 'reviews-v3' }],
  });
});
afterAll(async () => {
  await mesh.stop();
  await lateEcho.close();
});
beforeEach(() => mesh.resetUpstreams());

const workloadOf = ({ body }: Reply) => (JSON.parse(body) as Seen).workload;

async function workloads(count: number, headers: Readonly<Record<string, string>>): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (let i = 0; i < count; i++) found.add(workloadOf(await mesh.call(url, { headers })));
  return found;
}

/** The first answer that is as it should be: Envoy acknowledges routes and endpoints before its workers use them. */
async function firstReply(
  isRight: (reply: Reply) => boolean,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  let reply: Reply | undefined;
  await poll(async () => {
    reply = await mesh.call(url, { headers });
    return reply.status === 200 && isRight(reply);
  }, 'the answer that is awaited');
  return reply!;
}

const scaleUp = () =>
  mesh.apply('late', podYaml({ name: 'reviews-v4', address: late, labels: { app: 'reviews', version: 'v4' } }));

describe('by a cookie', () => {
  let cookie = '';
  let first = '';

  it('comes back to the endpoint that answered first', async () => {
    await mesh.apply('sessions', labelled('istio.io/persistent-session', 'place:/'));
    const reply = await firstReply(({ headers }) => headers['set-cookie'] !== undefined);
    const set = reply.headers['set-cookie'] ?? [];
    expect(set).toHaveLength(1);
    expect(set[0]).toMatch(/^place="?[A-Za-z0-9+/=]+"?; Path=\/; HttpOnly$/);
    cookie = set[0]!.split(';')[0]!;
    first = workloadOf(reply);
    expect(await workloads(10, { cookie })).toEqual(new Set([first]));
    expect((await workloads(30, {})).size).toBe(3);
  });

  it('stays there after scale-up', async () => {
    await scaleUp();
    expect(await workloads(20, { cookie })).toEqual(new Set([first]));
    await poll(async () => (await workloads(20, {})).has('reviews-v4'), 'the new endpoint to be used');
    await mesh.remove('late');
  });

  it('goes elsewhere when the endpoint is gone', async () => {
    await scaleUp();
    const reply = await firstReply((candidate) => workloadOf(candidate) === 'reviews-v4');
    const bound = reply.headers['set-cookie']![0]!.split(';')[0]!;
    expect(await workloads(5, { cookie: bound })).toEqual(new Set(['reviews-v4']));
    await mesh.remove('late');
    const next = await firstReply((reply) => workloadOf(reply) !== 'reviews-v4', { cookie: bound });
    expect(next.status).toBe(200);
    expect(workloadOf(next)).not.toBe('reviews-v4');
    expect(next.headers['set-cookie']?.[0]).toMatch(/^place=/);
  });
});

it('comes back by a header', async () => {
  await mesh.apply('sessions', documents(labelled('istio.io/persistent-session-header', 'x-place')));
  const reply = await firstReply(({ headers }) => headers['x-place'] !== undefined);
  const place = String(reply.headers['x-place']);
  expect(await workloads(10, { 'x-place': place })).toEqual(new Set([workloadOf(reply)]));
});

it('keeps no sessions without a label', async () => {
  await mesh.apply('sessions', labelled('some.example/label', 'place'));
  await firstReply(({ headers }) => headers['x-place'] === undefined && headers['set-cookie'] === undefined);
  expect((await workloads(30, {})).size).toBe(3);
});
