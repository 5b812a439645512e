import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { InstanceTypes, Templates } from '@seine/mixer';
import { makeAdapter, problemsOf, TestContext, testRim } from '../testing/adapter.fixture.js';
import { stdio } from './stdio.js';

const logTypes: InstanceTypes = {
  template: 'logentry',
  maps: {
    variables: new Map([
      ['source', 'STRING'],
      ['latency', 'DURATION'],
      ['responseCode', 'INT64'],
      ['connectionMtls', 'BOOL'],
      ['responseTimestamp', 'TIMESTAMP'],
      ['headers', 'STRING_MAP'],
    ]),
  },
};
const metricTypes: InstanceTypes = {
  template: 'metric',
  value: 'DURATION',
  maps: { dimensions: new Map([['destination', 'STRING']]) },
};
const instances = { 'accesslog.logentry.istio-system': logTypes, 'duration.metric.istio-system': metricTypes };
const timestamp = Date.UTC(2018, 8, 15, 20, 46, 36, 9);

const entry = (over: Partial<Templates['logentry']> = {}): Templates['logentry'] => ({
  instance: 'accesslog.logentry.istio-system',
  severity: 'Default',
  timestamp,
  variables: new Map<string, string | number | boolean | ReadonlyMap<string, string>>([
    ['source', 'a "quoted"\nname'],
    ['latency', 13.601485],
    ['responseCode', 200],
    ['connectionMtls', true],
    ['responseTimestamp', timestamp],
    ['headers', new Map([['x-a', '1']])],
  ]),
  monitoredResourceType: 'UNSPECIFIED',
  monitoredResourceDimensions: new Map(),
  ...over,
});

const metric: Templates['metric'] = {
  instance: 'duration.metric.istio-system',
  value: 1500,
  dimensions: new Map([['destination', 'ratings']]),
  monitoredResourceType: '',
  monitoredResourceDimensions: new Map(),
};

describe('stdio', () => {
  const made = async (params: object) => {
    const rim = testRim();
    const adapter = await makeAdapter(stdio(rim), params, new TestContext({ instances }));
    return { rim, adapter };
  };

  it('writes a log entry as Mixer did: a JSON object a line, its variables sorted', async () => {
    const { rim, adapter } = await made({});
    await adapter.logentry!([entry(), entry({ severity: 'warning' })]);
    const [first, second] = rim.out.join('').trimEnd().split('\n');
    expect(Object.keys(JSON.parse(first!) as object)).toEqual([
      ...['level', 'time', 'instance'],
      ...['connectionMtls', 'headers', 'latency', 'responseCode', 'responseTimestamp', 'source'],
    ]);
    expect(JSON.parse(first!)).toEqual({
      level: 'info',
      time: '2018-09-15T20:46:36.009Z',
      instance: 'accesslog.logentry.istio-system',
      connectionMtls: true,
      headers: { 'x-a': '1' },
      latency: '13.601485ms',
      responseCode: 200,
      responseTimestamp: '2018-09-15T20:46:36.009Z',
      source: 'a "quoted"\nname',
    });
    expect(JSON.parse(second!)).toMatchObject({ level: 'warn' });
  });

  it('writes a metric with its value and dimensions', async () => {
    const { rim, adapter } = await made({ metric_level: 2, logStream: 'STDERR' });
    await adapter.metric!([metric]);
    expect(rim.out).toEqual([]);
    expect(JSON.parse(rim.err.join(''))).toEqual({
      level: 'error',
      time: '2024-01-02T03:04:05.000Z',
      instance: 'duration.metric.istio-system',
      value: '1.5s',
      destination: 'ratings',
    });
  });

  it('writes columns', async () => {
    const { rim, adapter } = await made({ outputAsJson: false });
    await adapter.logentry!([entry({ variables: new Map([['responseCode', 404]]) })]);
    expect(rim.out.join('')).toBe(
      '2018-09-15T20:46:36.009Z\tinfo\taccesslog.logentry.istio-system\t{"responseCode":404}\n',
    );
  });

  it('leaves out what is below outputLevel', async () => {
    const { rim, adapter } = await made({ severity_levels: { Default: 1, loud: 'ERROR' }, outputLevel: 'ERROR' });
    await adapter.logentry!([entry(), entry({ severity: 'loud' }), entry({ severity: 'info' })]);
    await adapter.metric!([metric]);
    const lines = rim.out.join('').trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(['error']);
  });

  it('what is no number in JSON is null', async () => {
    const { rim, adapter } = await made({});
    await adapter.logentry!([entry({ variables: new Map([['responseCode', NaN]]) })]);
    expect(JSON.parse(rim.out.join(''))).toMatchObject({ responseCode: null });
  });

  it('drops lines when nobody reads, and says so once', async () => {
    const context = new TestContext({ instances });
    const out: string[] = [];
    const stdout = { write: (text: string) => out.push(text), writableLength: 17 * 1024 * 1024 };
    const adapter = await makeAdapter(stdio(testRim({ stdout })), {}, context);
    await adapter.logentry!([entry()]);
    await adapter.logentry!([entry()]);
    expect(out).toEqual([]);
    expect(context.warnings).toHaveLength(1);
    stdout.writableLength = 0;
    await adapter.logentry!([entry()]);
    expect(out).toHaveLength(1);
  });

  it.each([
    ['a file without a path', { logStream: 'FILE' }, 'outputPath'],
    ['a path without a file', { outputPath: '/tmp/x' }, 'outputPath'],
    ['a level that is none', { outputLevel: 'DEBUG' }, 'outputLevel'],
    ['a severity of no level', { severityLevels: { info: 'low' } }, 'severityLevels.info'],
  ])('refuses %s', (_, params, path) => {
    expect(problemsOf(stdio(testRim()), params)).toMatchObject([{ path }]);
  });
});

describe('stdio to a file', () => {
  let dir: string;
  let file: string;
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'stdio-'));
    file = path.join(dir, 'sub', 'access.log');
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('appends, and makes the directory', async () => {
    for (let i = 0; i < 2; i++) {
      const adapter = await makeAdapter(stdio(testRim()), { logStream: 'FILE', outputPath: file });
      await adapter.logentry!([entry()]);
      await adapter.close?.();
    }
    expect((await readFile(file, 'utf8')).trimEnd().split('\n')).toHaveLength(2);
  });

  it('puts a file aside that is full, and keeps as many as it should', async () => {
    const context = new TestContext({ instances });
    const adapter = await makeAdapter(
      stdio(testRim()),
      { logStream: 'ROTATED_FILE', outputPath: file, maxMegabytesBeforeRotation: 1, maxRotatedFiles: 2 },
      context,
    );
    const large = entry({ variables: new Map([['source', 'x'.repeat(700_000)]]) });
    for (let i = 0; i < 5; i++) {
      await adapter.logentry!([{ ...large, severity: i === 4 ? 'error' : 'info' }]);
      await context.pass(1000);
    }
    await adapter.close?.();
    const files = (await readdir(path.dirname(file))).sort();
    expect(files).toHaveLength(3);
    expect(files.at(-1)).toBe('access.log');
    for (const aside of files.slice(0, 2)) expect(aside).toMatch(/^access-2024-01-02T03-04-\d\d\.\d{3}(-\d+)?\.log$/);
    expect(await readFile(file, 'utf8')).toContain('"level":"error"');
  });

  it('deletes what was put aside long ago, and nothing else', async () => {
    const context = new TestContext({ instances });
    const params = { logStream: 'ROTATED_FILE', outputPath: path.join(dir, 'a.log'), maxMegabytesBeforeRotation: 1 };
    const old = ['a-2023-11-01T00-00-00.000.log', 'a-2023-12-30T00-00-00.000.log', 'a-b.log', 'other.log'];
    for (const name of old) await writeFile(path.join(dir, name), '');
    const adapter = await makeAdapter(stdio(testRim()), params, context);
    const large = entry({ variables: new Map([['source', 'x'.repeat(1_100_000)]]) });
    await adapter.logentry!([large]);
    await new Promise((resolve) => setImmediate(resolve));
    await adapter.logentry!([large]);
    await adapter.close?.();
    const left = await readdir(dir);
    expect(left).toEqual(expect.arrayContaining([...old.slice(1), 'a.log']));
    expect(left).not.toContain(old[0]);
  });

  it('two handlers of one file share it', async () => {
    const kind = stdio(testRim());
    const params = { logStream: 'FILE', outputPath: file };
    const before = await makeAdapter(kind, params);
    const after = await makeAdapter(kind, params);
    await before.logentry!([entry()]);
    await before.close?.();
    await after.logentry!([entry()]);
    await after.close?.();
    expect((await readFile(file, 'utf8')).trimEnd().split('\n')).toHaveLength(2);
  });

  it('a file that cannot be written costs lines, and is said once', async () => {
    const context = new TestContext({ instances });
    await writeFile(path.join(dir, 'plain'), '');
    const params = { logStream: 'FILE', outputPath: path.join(dir, 'plain', 'access.log') };
    const adapter = await makeAdapter(stdio(testRim()), params, context);
    await adapter.logentry!([entry()]);
    await adapter.logentry!([entry()]);
    await adapter.close?.();
    expect(context.warnings).toEqual([expect.stringContaining('cannot write')]);
  });
});
