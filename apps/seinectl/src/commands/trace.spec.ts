import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { run } from '../program.js';
import type { ZipkinSpan } from '../telemetry/trace-tree.js';
import { FakeHttp } from '../testing/fake-http.js';
import { FakeIo } from '../testing/fake-io.js';
import { FakeState } from '../testing/fake-state.js';

const begin = Date.parse('2026-01-01T00:00:00Z') * 1000;
const ids = { a: 'a'.repeat(32), b: 'b'.repeat(32) };

/** Times in milliseconds. */
function span(n: number, service: string, kind: string, name: string, start: number, duration: number): ZipkinSpan {
  return {
    traceId: ids.a,
    id: String(n),
    ...(n > 1 && { parentId: String(n - 1) }),
    kind,
    name,
    timestamp: begin + start * 1000,
    duration: duration * 1000,
    localEndpoint: { serviceName: service },
    tags: { 'http.status_code': '200' },
  };
}

const trace = [
  span(1, 'client.default', 'CLIENT', 'reviews:8080/*', 0, 310),
  span(2, 'reviews.default', 'SERVER', 'reviews:8080/*', 1, 308),
  span(3, 'reviews.default', 'CLIENT', 'ratings:8080/*', 2, 305),
  {
    ...span(4, 'ratings.default', 'SERVER', 'ratings:8080/*', 304, 2),
    tags: { 'http.status_code': '503', error: 'true', response_flags: '-' },
  },
];
const older = [{ ...span(1, 'client.default', 'CLIENT', 'x', -1000, 1), traceId: ids.b }];

let io: FakeIo;
let state: FakeState;
let mixer: FakeHttp;
beforeEach(async () => {
  io = new FakeIo();
  mixer = new FakeHttp({
    '/api/v2/traces?limit=50': JSON.stringify([older, trace]),
    '/api/v2/traces?limit=50&serviceName=nobody': '[]',
    '/api/v2/traces?limit=50&serviceName=client.default': JSON.stringify([trace]),
    [`/api/v2/trace/${ids.b}`]: JSON.stringify(older),
    [`/zipkin/api/v2/trace/${ids.b}`]: JSON.stringify(older),
  });
  const port = await mixer.start();
  state = await FakeState.create({ urls: { pilotAdmin: `http://127.0.0.1:${port}` } });
  io.env['SEINE_STATE'] = state.dir;
});
afterEach(async () => {
  await mixer.stop();
  await state.remove();
});

it('prints the last trace as a tree and names the span that took most by itself', async () => {
  expect(await run(['trace'], io)).toBe(0);
  expect(io.stdout).toBe(`trace ${ids.a} of 2026-01-01T00:00:00.000Z: 4 spans of 3 services, 310 ms
SERVICE                    KIND     START     DURATION   SELF      STATUS      SPAN
client.default             client   0.00 ms   310 ms     2.00 ms   200         reviews:8080/*
└─ reviews.default         server   1.00 ms   308 ms     3.00 ms   200         reviews:8080/*
   └─ reviews.default      client   2.00 ms   305 ms     303 ms    200         ratings:8080/*
      └─ ratings.default   server   304 ms    2.00 ms    2.00 ms   503 error   ratings:8080/*
slowest: the call of reviews.default to ratings:8080/*: 303 ms of its own, of 305 ms
`);
  expect(await run(['--color', 'always', 'trace'], io)).toBe(0);
  expect(io.stdout).toContain('\u001b[31m503 error\u001b[39m');
  expect(io.stdout).toContain('\u001b[33m303 ms\u001b[39m');
});

it('finds a trace by its ID, by a service, in mixer or in Zipkin', async () => {
  const zipkin = `${(await zipkinUrl()).replace('http://', '')}/zipkin/`;
  for (const [args, id] of [
    [['trace', ids.b], ids.b],
    [['trace', ids.b, '--zipkin', zipkin], ids.b],
    [['trace', '--service', 'client.default'], ids.a],
    [['trace', 'last', '-o', 'yaml'], ids.a],
  ] as const) {
    io.stdout = '';
    expect(await run(args, io)).toBe(0);
    expect(io.stdout).toContain(id);
  }
});

it('has the tree as data', async () => {
  expect(await run(['trace', '-o', 'json'], io)).toBe(0);
  expect(JSON.parse(io.stdout)).toMatchObject({
    traceId: ids.a,
    duration: 310,
    roots: [{ service: 'client.default', children: [{ children: [{ self: 303, children: [{ error: 'error' }] }] }] }],
    slowest: { service: 'reviews.default', kind: 'client', name: 'ratings:8080/*', self: 303, duration: 305 },
  });
});

it.each<[string[], number, RegExp]>([
  [['trace', 'xyz'], 2, /xyz is not the ID of a trace/],
  [['trace', ids.a, '--service', 'a'], 2, /not both/],
  [['trace', ids.a], 1, /answered 404/],
  [['trace', '--service', 'nobody'], 1, /no trace with a span of nobody is there: are requests traced/],
  [['trace', '--zipkin', 'http://'], 2, /--zipkin: http:\/\/ is not a URL/],
  [['trace', '--zipkin', 'http://127.0.0.1:1'], 1, /Zipkin does not answer/],
  [['trace', '--mixer-admin', '127.0.0.1:1'], 1, /mixer's admin port does not answer/],
])('%j exits with %d', async (args, code, stderr) => {
  expect(await run(args, io)).toBe(code);
  expect(io.stderr).toMatch(stderr);
});

async function zipkinUrl(): Promise<string> {
  const { readRunFile } = await import('../runtime/run-file.js');
  return (await readRunFile(state.dir)).urls['pilotAdmin'] ?? '';
}
