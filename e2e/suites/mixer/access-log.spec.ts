import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, type ServiceError, status as grpcStatus } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { StreamAccessLogsMessageSchema } from '@seine/envoy/envoy/service/accesslog/v3/als_pb.js';
import { formatLogName } from '@seine/mixer';
import { poll } from '@seine/testing';
import { many, MixerProcess, telemetryYaml, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
const url = 'http://reviews:8080/';
let mesh: TestMesh;
let mixer: MixerProcess;
let folder: string;
let file: string;
beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-access-log-'));
  file = path.join(folder, 'records.json');
  mixer = await MixerProcess.prepare();
  mesh = await TestMesh.start({
    identity: true,
    workloads: [{ name: 'reviews-v1', sidecar: true }],
    config: {
      mixer: mixer.yaml,
      telemetry: telemetryYaml('errors', {
        accessLogging: [
          { match: { mode: 'SERVER' }, providers: [{ name: 'mixer' }], filter: { expression: 'response.code >= 400' } },
        ],
        metrics: [{ providers: [{ name: 'prometheus' }, { name: 'mixer' }] }],
      }),
    },
  });
  await startMixer();
  mesh.echo('reviews-v1').answer = ({ path: asked }) => ({ status: asked.startsWith('/missing') ? 404 : 200 });
});
afterAll(async () => {
  await mixer.stop();
  await mesh.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

const startMixer = () => mixer.start(mesh.identity, ['--access-log', file]);

/** The records that mixer has written. */
const records = (): readonly Readonly<Record<string, unknown>>[] =>
  fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);

it('has what a Telemetry lets through, a line of JSON each', async () => {
  await many(20, () => mesh.call(url));
  await mesh.call(`${url}missing?x=1`);
  await poll(() => Promise.resolve(records().length > 0), 'a record', 30_000);
  expect(records()).toEqual([
    expect.objectContaining({
      reporter: 'inbound',
      protocol: 'http',
      method: 'GET',
      path: '/missing?x=1',
      response_code: 404,
      response_flags: '-',
      mutual_tls: true,
      destination_service: 'reviews.default.svc.cluster.local',
      source: expect.objectContaining({
        workload: 'client',
        principal: 'spiffe://cluster.local/ns/default/sa/client',
      }) as unknown,
      destination: expect.objectContaining({ workload: 'reviews-v1', version: 'v1' }) as unknown,
    }),
  ]);
});

it('is in no request’s way while mixer is gone, and goes on when it is back', async () => {
  const envoy = mesh.envoy('reviews-v1');
  await mixer.stop('SIGKILL');
  const memory = await envoy.stat('server.memory_allocated');
  const replies = await many(3000, () => mesh.call(url));
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  // Entries for which there is nobody are not kept: 3,000 of them would be 5 MB a log.
  expect((await envoy.stat('server.memory_allocated')) - memory).toBeLessThan(16 * 1024 * 1024);
  const before = records().length;
  await startMixer();
  await poll(
    async () => {
      await mesh.call(`${url}missing`);
      return records().length > before;
    },
    'records again',
    60_000,
  );
});

describe('who tells mixer of requests', () => {
  type Message = MessageInitShape<typeof StreamAccessLogsMessageSchema>;
  const columns = [
    'source_workload',
    'destination_workload',
    'destination_workload_namespace',
    'destination_principal',
  ];
  const log = { reporter: 'inbound', purposes: ['metrics'], columns } as const;
  const logName = formatLogName({ ...log, metrics: [{ names: ['requests_total'], labels: [0, 1, 2, 3] }] });
  const told = (row: readonly string[], id: string): Message => ({
    identifier: { logName, node: { id } },
    logEntries: {
      case: 'httpLogs',
      value: { logEntry: [{ commonProperties: { customTags: { 'seine.row': row.join('\n') } } }] },
    },
  });

  /** Tells as the workload reviews. @returns the code of the answer */
  async function tell(message: Message, withCertificate = true): Promise<grpcStatus> {
    const { ca, cert, key } = await mesh.svid('reviews');
    const own = withCertificate ? { key, cert } : { key: null, cert: null };
    const secure = credentials.createSsl(ca, own.key, own.cert, { checkServerIdentity: () => undefined });
    const client = new Client(`127.0.0.1:${mixer.port}`, secure);
    const same = (bytes: Buffer): Buffer => bytes;
    try {
      return await new Promise((resolve) => {
        const call = client.makeClientStreamRequest(
          '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs',
          same,
          same,
          { deadline: Date.now() + 30_000 } as never,
          (error: ServiceError | null) => resolve(error ? error.code : grpcStatus.OK),
        );
        call.write(
          Buffer.from(toBinary(StreamAccessLogsMessageSchema, create(StreamAccessLogsMessageSchema, message))),
        );
        call.end();
      });
    } finally {
      client.close();
    }
  }
  const id = 'sidecar~10.1.0.8~reviews-v1.default~default.svc.cluster.local';
  const counted = async (text: string) =>
    (await (await fetch(`http://${mixer.adminAddress}/stats/prometheus`)).text()).includes(text);
  const refused = async () => {
    const text = await (await fetch(`http://${mixer.adminAddress}/metrics`)).text();
    return Number(/^mixer_access_log_entries_total\{result="refused"\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };

  it('is counted for its own workload', async () => {
    await tell(told(['forger', 'reviews-v1', 'default', 'spiffe://cluster.local/ns/default/sa/reviews'], id));
    expect(await counted('source_workload="forger"')).toBe(true);
  });

  it('is not counted for another’s', async () => {
    const before = await refused();
    await tell(told(['thief', 'vault', 'bank', ''], id));
    await tell(told(['thief', 'admin', 'default', 'spiffe://cluster.local/ns/default/sa/admin'], id));
    expect((await refused()) - before).toBe(2);
    expect(await counted('source_workload="thief"')).toBe(false);
  });

  it('is refused under another’s name, and without a certificate', async () => {
    const row = ['x', 'reviews-v1', 'default', ''];
    expect(await tell(told(row, 'sidecar~10.1.0.9~vault.bank~bank.svc.cluster.local'))).toBe(
      grpcStatus.PERMISSION_DENIED,
    );
    expect(await tell(told(row, id), false)).toBe(grpcStatus.UNAUTHENTICATED);
  });
});
