import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { documents, many } from '../../src/index.js';
import { legacyYaml, PolicyMesh } from './policy-mesh.js';

jest.setTimeout(240_000);
/** Rules of Istio 1.1 to 1.4 that report, as their users have them, with real Envoys that log to a real mixer. */
let bookinfo: PolicyMesh;
beforeAll(async () => {
  bookinfo = await PolicyMesh.start({
    workloads: [
      { name: 'productpage-v1', sidecar: true, serviceAccount: 'bookinfo-productpage' },
      { name: 'reviews-v2', sidecar: true, serviceAccount: 'bookinfo-reviews' },
      { name: 'mongo-v1', sidecar: true, serviceAccount: 'bookinfo-mongo' },
    ],
    services: [{ name: 'db', ports: [{ name: 'tcp', port: 8081, targetPort: 8081 }], selector: { app: 'mongo' } }],
  });
});
afterAll(() => bookinfo.stop());
afterEach(() => bookinfo.clear());

const reviews = 'http://reviews:8080/reviews/0?stars=5';
const call = () => bookinfo.callFrom('productpage-v1', reviews, { headers: { 'user-agent': 'a-test' } });

/** Samples of what handlers of the kind prometheus have counted. */
async function handlerSamples(metric: string): Promise<readonly { readonly labels: string; readonly value: number }[]> {
  const text = await (await fetch(`http://${bookinfo.mixer.adminAddress}/metrics/handlers`)).text();
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    return name?.endsWith(metric) ? [{ labels, value: Number(value) }] : [];
  });
}

/** Lines that stdio handlers have written: mixer's process keeps the last of its output only. */
const lines = new Set<string>();

/** The entries of stdio handlers that mixer has written, as JSON, about requests to a path. */
function entries(path: string): readonly Readonly<Record<string, unknown>>[] {
  for (const line of bookinfo.mixer.output.split('\n'))
    if (/^\{.*\}$/.test(line) && line.includes('accesslog.logentry.istio-system')) lines.add(line);
  return [...lines]
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    .filter(({ url }) => url === path);
}

/** Calls until what a rule does is seen: proxies and mixer hear of it on ways of their own. */
const untilSeen = (seen: () => Promise<boolean>, what: string) =>
  poll(
    async () => {
      expect((await call()).status).toBe(200);
      return await seen();
    },
    what,
    60_000,
  );

it('config/accesslog.yaml: mixer writes a line of JSON for each request and side', async () => {
  await bookinfo.apply(legacyYaml('config/accesslog.yaml'));
  await untilSeen(() => Promise.resolve(entries('/reviews/0?stars=5').length >= 2), 'the first lines');
  for (let i = 0; i < 10; i++) {
    await bookinfo.callFrom('productpage-v1', `http://reviews:8080/exact/${i}`);
    // One line of the caller's proxy, one of the called one's.
    await poll(() => Promise.resolve(entries(`/exact/${i}`).length >= 2), 'two lines', 60_000);
  }
  expect(Array.from({ length: 10 }, (_, i) => entries(`/exact/${i}`).length)).toEqual(Array(10).fill(2));
  const [entry] = entries('/reviews/0?stars=5').slice(-1);
  expect(entry).toMatchObject({
    level: 'info',
    instance: 'accesslog.logentry.istio-system',
    sourceApp: 'productpage',
    sourceWorkload: 'productpage-v1',
    sourceNamespace: 'default',
    destinationApp: 'reviews',
    destinationServiceHost: 'reviews.default.svc.cluster.local',
    destinationWorkload: 'reviews-v2',
    method: 'GET',
    url: '/reviews/0?stars=5',
    responseCode: 200,
    connectionMtls: true,
    userAgent: 'a-test',
    protocol: 'http',
  });
  expect(entry?.['sourcePrincipal']).toMatch(/cluster\.local\/ns\/default\/sa\/bookinfo-productpage$/);
});

it('telemetry/metrics.yaml: each request is counted twice, as its instance says', async () => {
  await bookinfo.apply(legacyYaml('telemetry/metrics.yaml'));
  const counted = async (reporter: string) =>
    (await handlerSamples('double_request_count'))
      .filter(({ labels }) => labels.includes(`reporter="${reporter}"`) && labels.includes('destination="reviews-v2"'))
      .reduce((sum, { value }) => sum + value, 0);
  const both = () => Promise.all(['client', 'server'].map(counted));
  await untilSeen(async () => (await both()).every((count) => count > 0), 'both sides to be counted');
  const settled = async () => {
    const first = await both();
    await many(50, call);
    await poll(async () => (await both()).every((count, i) => count >= (first[i] ?? 0) + 100), '50 requests', 60_000);
  };
  await settled();
  const [sample] = await handlerSamples('double_request_count');
  expect(sample?.labels).toContain('message="twice the fun!"');
});

it('config/prometheus.yaml and config/tcpmetrics.yaml: connections and their bytes are counted', async () => {
  await bookinfo.apply(documents(legacyYaml('config/tcpmetrics.yaml'), legacyYaml('config/prometheus.yaml')));
  const address = await bookinfo.mesh.loopbackOf(8081);
  const opened = async () =>
    (await handlerSamples('tcp_connections_opened_total')).reduce((sum, { value }) => sum + value, 0);
  await poll(
    async () => {
      await fetch(`http://${address}:8081/`).catch(() => undefined);
      return (await opened()) > 0;
    },
    'connections to be counted',
    60_000,
  );
  const labels = async (metric: string) => (await handlerSamples(metric)).map((sample) => sample.labels);
  expect((await labels('tcp_connections_opened_total')).join('\n')).toContain(
    'destination_service="db.default.svc.cluster.local"',
  );
  // Bytes say nothing of who sends them; the certificate does.
  const byServer = async () =>
    (await labels('tcp_received_bytes_total')).some(
      (text) => text.includes('reporter="server"') && text.includes('source_workload="client"'),
    );
  await poll(byServer, 'the called side to tell who called', 30_000);
});
