import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError, status as grpcStatus } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  type RateLimitRequest,
  RateLimitRequestSchema,
  type RateLimitResponse,
  RateLimitResponse_Code as Code,
  RateLimitResponseSchema,
} from '@seine/envoy/envoy/service/ratelimit/v3/rls_pb.js';
import { poll } from '@seine/testing';
import {
  documents,
  many,
  MixerProcess,
  type RequestOptions,
  type Seen,
  SpiffeAuthority,
  type Svid,
  TestMesh,
  tlsRequest,
} from '../../src/index.js';
import { SteadyLoad } from './steady-load.js';

jest.setTimeout(180_000);
const url = 'http://reviews:8080';
/** Longer than the tests take: no window ends in one, except at midnight. */
const day = '24h';
const noLimit = 1_000_000;
/** The limits of the mesh, each on a path of its own: all are in force from its start on. */
const limits: Readonly<Record<string, object>> = {
  exact: { requests: 100, exact: true },
  bucket: { requests: 2, algorithm: 'TOKEN_BUCKET' },
  user: { requests: 2, descriptors: [{ fromHeader: 'x-user' }] },
  caller: { requests: 2, descriptors: [{ sourceIdentity: true }] },
  open: { requests: noLimit, failOpen: true },
  closed: { requests: noLimit, failOpen: false },
};
const limitsYaml = Object.entries(limits).map(
  ([name, limit]) => `apiVersion: policy.seine.dev/v1alpha1
kind: RateLimit
metadata: { name: ${name}, namespace: default }
spec:
  selector: { matchLabels: { app: reviews } }
  global: [${JSON.stringify({ per: day, timeout: '10s', match: { path: { exact: `/${name}` } }, ...limit })}]
`,
);

let mesh: TestMesh;
let mixer: MixerProcess;
beforeAll(async () => {
  mixer = await MixerProcess.prepare();
  mesh = await TestMesh.start({
    identity: true,
    workloads: [
      { name: 'reviews-v1', sidecar: true },
      { name: 'reviews-v2', sidecar: true },
    ],
    config: { mixer: mixer.yaml, limits: documents(...limitsYaml) },
  });
  await mixer.start(mesh.identity);
});
afterAll(async () => {
  await mixer.stop();
  await mesh.stop();
});
beforeEach(() => mesh.resetUpstreams());

const call = async (path: string, options: RequestOptions = {}) => (await mesh.call(url + path, options)).status;

function counted(values: readonly number[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

it('R-5: lets exactly as many requests through as the limit says, whichever of two sidecars asks', async () => {
  const replies = await many(1000, () => mesh.call(`${url}/exact`));
  expect(counted(replies.map(({ status }) => status))).toEqual({ 200: 100, 429: 900 });
  const answered = replies
    .filter(({ status }) => status === 200)
    .map(({ body }) => (JSON.parse(body) as Seen).workload);
  expect([...new Set(answered)].sort()).toEqual(['reviews-v1', 'reviews-v2']);
  expect(mesh.echo('reviews-v1').count() + mesh.echo('reviews-v2').count()).toBe(100);
});

it('asks mixer over mutual TLS', async () => {
  await call('/open');
  const cluster = 'cluster.outbound|9091||mixer.istio-system.svc.cluster.local;';
  const handshakes = await Promise.all(
    ['reviews-v1', 'reviews-v2'].map((name) => mesh.envoy(name).stat(`${cluster}.ssl.handshake`)),
  );
  expect(Math.max(...handshakes)).toBeGreaterThan(0);
});

it('fills a bucket of requests', async () => {
  expect([await call('/bucket'), await call('/bucket'), await call('/bucket')]).toEqual([200, 200, 429]);
});

it('counts each value of a header apart', async () => {
  const as = (user: string) => call('/user', { headers: { 'x-user': user } });
  expect([await as('anna'), await as('anna'), await as('anna')]).toEqual([200, 200, 429]);
  expect([await as('ben'), await as('ben'), await as('ben')]).toEqual([200, 200, 429]);
  expect(counted(await many(5, () => call('/user')))).toEqual({ 200: 5 });
});

it('counts each caller by its certificate', async () => {
  expect([await call('/caller'), await call('/caller'), await call('/caller')]).toEqual([200, 200, 429]);
  const { address } = mesh.workloads.get('reviews-v1')!;
  const client = await mesh.svid('another');
  const another = async () => {
    const options = { servername: 'reviews', client, alpn: ['istio-http/1.1', 'istio'], path: '/caller' };
    return (await tlsRequest(address, 8080, options)).status;
  };
  expect([await another(), await another(), await another()]).toEqual([200, 200, 429]);
});

it('R-14: fails no request that may pass without an answer when mixer is killed, and others only until it is back', async () => {
  const loads = [new SteadyLoad(mesh, `${url}/open`), new SteadyLoad(mesh, `${url}/closed`)];
  const untilMore = async () => {
    const before = loads.map(({ count }) => count);
    await poll(() => Promise.resolve(loads.every(({ count }, i) => count > before[i]! + 30)), 'more requests');
  };
  await untilMore();
  await mixer.stop('SIGKILL');
  await untilMore();
  await mixer.start(mesh.identity);
  await poll(async () => (await call('/closed')) === 200, 'mixer to be asked again');
  const [open, closed] = (await Promise.all(loads.map((load) => load.end()))) as [
    Record<string, number>,
    Record<string, number>,
  ];
  expect(Object.keys(open)).toEqual(['200']);
  expect(
    Object.keys(closed)
      .map((outcome) => outcome.slice(0, 3))
      .sort(),
  ).toEqual(['200', '500']);
  expect(counted(await many(50, () => call('/closed')))).toEqual({ 200: 50 });
});

describe('R-15: who asks mixer', () => {
  /** One question by a client that is no Envoy. @returns its status, or the code of the answer */
  async function ask(svid: Partial<Svid>, limit: string): Promise<{ code?: Code; refused?: grpcStatus }> {
    const { ca } = await mesh.svid('any');
    const secure = credentials.createSsl(ca, svid.key, svid.cert, { checkServerIdentity: () => undefined });
    const client = new Client(`127.0.0.1:${mixer.port}`, secure);
    const request = create(RateLimitRequestSchema, {
      domain: 'policy.seine.dev',
      descriptors: [{ entries: [{ key: 'rate_limit', value: limit }] }],
    });
    const metadata = new Metadata();
    metadata.set('ratelimit-policy', `"${limit}";q=5;w=86400`);
    try {
      return await new Promise((resolve) => {
        client.makeUnaryRequest(
          '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit',
          (message: RateLimitRequest) => Buffer.from(toBinary(RateLimitRequestSchema, message)),
          (bytes: Buffer) => fromBinary(RateLimitResponseSchema, bytes),
          request,
          metadata,
          { deadline: Date.now() + 30_000 },
          (error: ServiceError | null, answer?: RateLimitResponse) =>
            resolve(error ? { refused: error.code } : { code: answer?.overallCode ?? Code.UNKNOWN }),
        );
      });
    } finally {
      client.close();
    }
  }

  it('takes a workload at limits of its own namespace, and at those of the mesh', async () => {
    const svid = await mesh.svid('reviews');
    expect(await ask(svid, 'default/own/0')).toEqual({ code: Code.OK });
    expect(await ask(svid, 'istio-system/mesh/0')).toEqual({ code: Code.OK });
  });

  it('refuses it at limits of another namespace', async () => {
    expect(await ask(await mesh.svid('reviews'), 'bank/theirs/0')).toEqual({ refused: grpcStatus.PERMISSION_DENIED });
  });

  it('refuses who shows no certificate, and who shows one of another root', async () => {
    expect(await ask({}, 'default/own/0')).toEqual({ refused: grpcStatus.UNAUTHENTICATED });
    const stranger = await SpiffeAuthority.make();
    expect(await ask(await stranger.issue({ serviceAccount: 'reviews' }), 'default/own/0')).toEqual({
      refused: grpcStatus.UNAUTHENTICATED,
    });
  });
});
