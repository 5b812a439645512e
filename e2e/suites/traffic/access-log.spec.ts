import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { poll } from '@seine/testing';
import { meshConfigYaml, telemetryYaml, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
const url = 'http://reviews:8080/';
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'reviews-v1', sidecar: true }] });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const log = (name: string) => path.join(mesh.folder, name);
const lines = (name: string): string[] =>
  fs.existsSync(log(name)) ? fs.readFileSync(log(name), 'utf8').split('\n').filter(Boolean) : [];

/** Envoy writes its logs every second or so. */
async function logged(name: string, count: number): Promise<string[]> {
  await poll(() => lines(name).length >= count, `${count} lines in ${name}`, 30_000);
  return lines(name);
}

/**
 * Calls until a log has a line of each side that is expected to log. Connections that were open when a listener changed
 * are served, and logged, as before until they are drained; Envoy writes the first line of a file at once.
 */
async function settle(name: string, sides: number, target = `${url}probe`): Promise<void> {
  await poll(
    async () => {
      await mesh.call(target);
      return lines(name).length >= sides;
    },
    `${name} to be in force`,
    60_000,
  );
}

const file = (name: string, logFormat?: unknown) => ({ name, envoyFileAccessLog: { path: log(name), logFormat } });

describe('access logs', () => {
  it('of the mesh config are Istio’s lines, one a request and side', async () => {
    await mesh.apply('config', meshConfigYaml({ accessLogFile: log('text') }));
    await mesh.call(`${url}a?b=c`, { headers: { 'user-agent': 'the test' } });
    const text = await logged('text', 2);
    const line =
      /^\[\d{4}-[^\]]+Z\] "GET \/a\?b=c HTTP\/1\.1" 200 - via_upstream - "-" 0 \d+ \d+ \d+ "(-|[\d.]+)" "the test" "[0-9a-f-]{36}" "reviews:8080" "[\d.]+:\d+" (\S+) \S+ [\d.]+:\d+ [\d.]+:\d+ - \S+$/;
    expect(text.map((one) => line.exec(one)?.[2]).sort()).toEqual([
      'inbound|8080||',
      'outbound|8080||reviews.default.svc.cluster.local',
    ]);
  });

  it('are JSON with Istio’s keys', async () => {
    await mesh.apply('config', meshConfigYaml({ accessLogFile: log('json'), accessLogEncoding: 'JSON' }));
    await settle('json', 2);
    const [one] = lines('json').map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(Object.keys(one ?? {}).sort()).toEqual([
      'authority',
      'bytes_received',
      'bytes_sent',
      'connection_termination_details',
      'downstream_local_address',
      'downstream_remote_address',
      'duration',
      'method',
      'path',
      'protocol',
      'request_id',
      'requested_server_name',
      'response_code',
      'response_code_details',
      'response_flags',
      'route_name',
      'start_time',
      'upstream_cluster',
      'upstream_host',
      'upstream_local_address',
      'upstream_service_time',
      'upstream_transport_failure_reason',
      'user_agent',
      'x_forwarded_for',
    ]);
    expect(one).toMatchObject({ method: 'GET', response_code: 200, authority: 'reviews:8080' });
  });

  it('of a Telemetry keep what the filter takes, on the side that it names', async () => {
    const labels = { code: '%RESPONSE_CODE%', path: '%REQ(:PATH)%' };
    await mesh.apply('config', meshConfigYaml({ extensionProviders: [file('errors', { labels })] }));
    await mesh.apply(
      'telemetry',
      telemetryYaml('errors', {
        accessLogging: [
          {
            match: { mode: 'SERVER' },
            providers: [{ name: 'errors' }],
            filter: { expression: 'response.code >= 400' },
          },
        ],
      }),
    );
    mesh.echo('reviews-v1').answer = ({ path: asked }) => ({ status: Number(asked.slice(1)) });
    await settle('errors', 1, `${url}599`);
    for (const code of [200, 404, 302, 503]) await mesh.call(`${url}${code}`);
    const codes = () => lines('errors').map((text) => (JSON.parse(text) as { code: number }).code);
    await poll(() => codes().includes(503), 'the last error', 30_000);
    expect(codes().filter((code) => code !== 599)).toEqual([404, 503]);
    expect(JSON.parse(lines('errors').at(-1) ?? '')).toEqual({ code: 503, path: '/503' });
  });

  it('end where the workload’s own Telemetry disables them, and stay elsewhere', async () => {
    await mesh.apply(
      'config',
      meshConfigYaml({
        extensionProviders: [file('plain', { text: '%UPSTREAM_CLUSTER_RAW%' })],
        defaultProviders: { accessLogging: ['plain'] },
      }),
    );
    await mesh.apply(
      'telemetry',
      telemetryYaml(
        'quiet',
        { selector: { matchLabels: { app: 'reviews' } }, accessLogging: [{ disabled: true }] },
        'default',
      ),
    );
    await settle('plain', 1);
    // The workload's side would have written its first line at once.
    expect(new Set(lines('plain'))).toEqual(new Set(['outbound|8080||reviews.default.svc.cluster.local']));
    await mesh.remove('telemetry');
    await poll(
      async () => {
        await mesh.call(url);
        return lines('plain').includes('inbound|8080||');
      },
      'the workload to log again',
      60_000,
    );
  });

  it('stay as they are when the mesh config becomes wrong', async () => {
    const before = (await mesh.pilot.sync()).revision;
    mesh.write('config', meshConfigYaml({ accessLogFile: 5 }));
    await mesh.apply('telemetry', telemetryYaml('other', { accessLogging: [{ match: { mode: 'CLIENT' } }] }));
    expect((await mesh.pilot.sync()).revision).toBeGreaterThan(before);
    const count = lines('plain').length;
    await mesh.call(url);
    expect((await logged('plain', count + 1)).length).toBeGreaterThan(count);
  });
});
