import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { many, RedisServer, type Reply } from '../../src/index.js';
import { legacyYaml, PolicyMesh, untilStatus } from './policy-mesh.js';

jest.setTimeout(240_000);
/** Policies of Istio 1.1 to 1.4 as their users have them, with real Envoys that ask a real mixer. */
let bookinfo: PolicyMesh;
beforeAll(async () => {
  bookinfo = await PolicyMesh.start({ gateway: true, config: { gateway: gatewayYaml } });
});
afterAll(() => bookinfo.stop());
afterEach(() => bookinfo.clear());

const gatewayYaml = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: bookinfo, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: bookinfo, namespace: default }
spec:
  hosts: ['*']
  gateways: [bookinfo]
  http: [{ route: [{ destination: { host: productpage, port: { number: 8080 } } }] }]
`;

const ratings = 'http://ratings:8080/ratings/0';
const from = (workload: string, url: string) => () => bookinfo.callFrom(workload, url);
const statusesOf = (replies: readonly Reply[]) => replies.map(({ status }) => status);

it.each([
  ['mixer-rule-deny-label.yaml', 'denyreviewsv3handler.default'],
  ['mixer-rule-deny-label-crd.yaml', 'denyreviewsv3handler.denier.default'],
])('%s: version 3 of reviews gets no ratings, version 2 does', async (file, handler) => {
  await bookinfo.apply(legacyYaml(`policy/${file}`));
  const { body } = await untilStatus(403, from('reviews-v3', ratings));
  expect(body).toBe(`PERMISSION_DENIED:${handler}:Not allowed`);
  expect(await bookinfo.callFrom('reviews-v2', ratings)).toMatchObject({ status: 200 });
  expect(await bookinfo.callFrom('reviews-v3', 'http://details:8080/')).toMatchObject({ status: 200 });
  await bookinfo.clear();
  await untilStatus(200, from('reviews-v3', ratings));
});

it.each(['mixer-rule-deny-ip.yaml', 'mixer-rule-deny-ip-crd.yaml'])(
  '%s: who comes through the gateway must have a listed address',
  async (file) => {
    const yaml = legacyYaml(`policy/${file}`);
    const outside = () => bookinfo.mesh.callGateway('bookinfo.example', '/productpage');
    await bookinfo.apply(yaml);
    const { body } = await untilStatus(403, outside);
    expect(body).toMatch(/^PERMISSION_DENIED:whitelistip\.(listchecker\.)?default:127\.\S+ is not whitelisted$/);
    expect(await bookinfo.callFrom('reviews-v2', 'http://productpage:8080/')).toMatchObject({ status: 200 });
    await bookinfo.apply(yaml.replace('10.57.0.0/16', '127.0.0.0/8'));
    await untilStatus(200, outside);
  },
);

it('mixer-rule-deny-serviceaccount.yaml: an account is refused, others are not', async () => {
  await bookinfo.apply(legacyYaml('policy/mixer-rule-deny-serviceaccount.yaml'));
  const { body } = await untilStatus(403, from('productpage-v1', 'http://details:8080/'));
  expect(body).toBe('PERMISSION_DENIED:denyproductpagehandler.default:Not allowed');
  expect(await bookinfo.callFrom('reviews-v2', 'http://details:8080/')).toMatchObject({ status: 200 });
  expect(await bookinfo.callFrom('productpage-v1', ratings)).toMatchObject({ status: 200 });
});

it('mixer-rule-ratings-denial.yaml: a user is refused by a header', async () => {
  const as = (user: string) => () => bookinfo.callFrom('reviews-v2', ratings, { headers: { 'x-user': user } });
  await bookinfo.apply(legacyYaml('policy/mixer-rule-ratings-denial.yaml'));
  const { body } = await untilStatus(403, as('john'));
  expect(body).toBe('PERMISSION_DENIED:denierhandler.istio-system:Not allowed');
  expect(await as('jason')()).toMatchObject({ status: 200 });
  expect(await bookinfo.callFrom('reviews-v2', ratings)).toMatchObject({ status: 200 });
});

it('config/deny.yaml: a header of one value is refused', async () => {
  await bookinfo.apply(legacyYaml('config/deny.yaml'));
  const as = (value: string) => () => bookinfo.callFrom('reviews-v2', ratings, { headers: { clnt: value } });
  await untilStatus(403, as('abc'));
  expect(await as('abcd')()).toMatchObject({ status: 200 });
});

it('config/listcheck.yaml: only listed versions get ratings', async () => {
  await bookinfo.apply(legacyYaml('config/listcheck.yaml'));
  const { body } = await untilStatus(403, from('reviews-v3', ratings));
  expect(body).toBe('PERMISSION_DENIED:staticversion.istio-system:v3 is not whitelisted');
  expect(await bookinfo.callFrom('reviews-v2', ratings)).toMatchObject({ status: 200 });
});

/** Windows are longer than the test, so that it does not matter how fast it is. */
const patient = (yaml: string) => yaml.replaceAll(/validDuration: (1|5|30)s/g, 'validDuration: 600s');

it.each([
  ['mixer-rule-productpage-ratelimit.yaml', 'requestcountquota'],
  ['mixer-rule-productpage-ratelimit-crd.yaml', 'requestcount'],
])('%s: the third request in 5 seconds answers 429, of each client', async (file, quota) => {
  const as = (client: string) => () =>
    bookinfo.callFrom('reviews-v2', 'http://productpage:8080/', { headers: { 'x-forwarded-for': client } });
  await bookinfo.apply(patient(legacyYaml(`policy/${file}`)));
  const { body } = await untilStatus(429, as('10.1.1.1'));
  expect(body).toBe(`RESOURCE_EXHAUSTED:Quota is exhausted for: ${quota}`);
  expect(statusesOf(await many(10, as('10.1.1.2'))).sort()).toEqual([200, 200, ...Array<number>(8).fill(429)]);
  // This client has 500 a second.
  expect(new Set(statusesOf(await many(20, as('10.28.11.20'))))).toEqual(new Set([200]));
  expect(await bookinfo.callFrom('reviews-v2', 'http://details:8080/')).toMatchObject({ status: 200 });
});

it('mixer-rule-ratings-ratelimit.yaml: who reviews may ask for ratings less often than others', async () => {
  await bookinfo.apply(
    patient(
      legacyYaml('policy/mixer-rule-ratings-ratelimit.yaml')
        .replaceAll('namespace: istio-system', 'namespace: default')
        .replaceAll('instance.istio-system', 'instance.default'),
    ),
  );
  await untilStatus(429, from('reviews-v2', ratings));
  expect(new Set(statusesOf(await many(20, from('productpage-v1', ratings))))).toEqual(new Set([200]));
});

it.each(['fixed', 'rolling'])('mixer-rule-productpage-redis-quota-%s-window.yaml: counts in Redis', async (window) => {
  const redis = await RedisServer.start();
  try {
    const yaml = legacyYaml(`policy/mixer-rule-productpage-redis-quota-${window}-window.yaml`);
    await bookinfo.apply(patient(yaml).replace(/redisServerUrl: \S+/, `redisServerUrl: ${redis.address}`));
    const call = from('reviews-v2', 'http://productpage:8080/');
    const { body } = await untilStatus(429, call);
    expect(body).toMatch(/^RESOURCE_EXHAUSTED:Quota is exhausted for: request/);
    // Mixer has forgotten; Redis has not.
    await bookinfo.mixer.stop();
    await bookinfo.startMixer();
    await untilStatus(429, call);
    expect(await bookinfo.callFrom('reviews-v2', ratings)).toMatchObject({ status: 200 });
  } finally {
    await redis.stop();
  }
});
