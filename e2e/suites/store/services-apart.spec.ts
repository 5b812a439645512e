import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { TypeUrl } from '@seine/envoy';
import { AdsClient, type AdsResponse, aNode, poll } from '@seine/testing';
import { freePort, podYaml, RedisServer, repositoryRoot, serviceYaml, TestProcess } from '../../src/index.js';

jest.setTimeout(300_000);

const host = '127.0.0.1';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-apart-'));
const clients: AdsClient[] = [];
const processes: TestProcess[] = [];
let redis: RedisServer;
let registries: readonly TestProcess[];
let pilots: readonly number[];

/** An app as its own process; registries stand by before they say that they are ready. */
function start(app: 'registry' | 'pilot', args: readonly string[]): TestProcess {
  const main = path.join(repositoryRoot, `apps/${app}/dist/main.js`);
  const started = new TestProcess(app, process.execPath, [main, '--redis', redis.url, ...args], {
    cwd: repositoryRoot,
  });
  processes.push(started);
  return started;
}

async function startRegistry(): Promise<TestProcess> {
  const addresses = ['--listen', `${host}:${await freePort()}`, '--admin', `${host}:${await freePort()}`];
  return start('registry', ['--config-dir', folder, ...addresses]);
}

/** @returns its port of ADS in plain text */
async function startPilot(): Promise<number> {
  const port = await freePort();
  const pilot = start('pilot', ['--xds', `${host}:${port}`, '--admin', `${host}:${await freePort()}`]);
  await isReady(pilot);
  return port;
}

const isReady = (app: TestProcess) => app.until(() => /^ready$/m.test(app.output), 'ready');

/** What a new proxy gets of a type. */
async function resourcesOf(port: number, typeUrl: string): Promise<AdsResponse['resources']> {
  const client = new AdsClient(`${host}:${port}`);
  clients.push(client);
  const { resources } = await client.open('delta', aNode()).request({ typeUrl }).next(typeUrl);
  client.close();
  return [...resources].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const knows = async (port: number, service: string) =>
  (await resourcesOf(port, TypeUrl.cluster)).some(({ name }) => name.includes(`||${service}.`));

function edit(name: string): void {
  fs.writeFileSync(path.join(folder, `${name}.yaml`), serviceYaml({ name }));
}

/** An edit has arrived at all pilots. */
async function untilEverywhere(name: string): Promise<void> {
  for (const port of pilots) await poll(() => knows(port, name), `${name} at each pilot`, 60_000);
}

beforeAll(async () => {
  redis = await RedisServer.start();
  edit('reviews');
  const labels = { app: 'reviews' };
  fs.writeFileSync(path.join(folder, 'pod.yaml'), podYaml({ name: 'reviews-1', address: '10.0.0.7', labels }));
  registries = [await startRegistry(), await startRegistry()];
  pilots = [await startPilot(), await startPilot()];
});
afterAll(async () => {
  for (const client of clients) client.close();
  await Promise.all(processes.map((one) => one.stop('SIGKILL')));
  await redis.stop();
  fs.rmSync(folder, { recursive: true });
});

const leads = ({ output, isRunning }: TestProcess) => isRunning && /^ready$/m.test(output);

it('has one of two registries lead, and two pilots that serve the same, byte for byte', async () => {
  await poll(() => registries.some(leads), 'a registry to lead', 60_000);
  expect(registries.map(({ isRunning }) => isRunning)).toEqual([true, true]);
  expect(registries.filter(leads)).toHaveLength(1);
  await untilEverywhere('reviews');
  for (const typeUrl of [TypeUrl.cluster, TypeUrl.listener]) {
    const [one, other] = await Promise.all(pilots.map((port) => resourcesOf(port, typeUrl)));
    expect(one!.length).toBeGreaterThan(0);
    expect(other).toEqual(one);
  }
});

it('brings an edit to both pilots', async () => {
  edit('ratings');
  await untilEverywhere('ratings');
});

it('goes on when Redis is killed, and brings what was edited meanwhile when it is back, empty', async () => {
  await redis.kill();
  edit('details');
  // Proxies that come now get what is known.
  for (const port of pilots) expect(await knows(port, 'ratings')).toBe(true);
  await redis.start();
  await untilEverywhere('details');
  for (const port of pilots) expect(await knows(port, 'reviews')).toBe(true);
});

it('serves the whole mesh again after FLUSHALL, and the next edit', async () => {
  const client = new AdsClient(`${host}:${pilots[0]!}`);
  clients.push(client);
  const stream = client.open('delta', aNode()).request({ typeUrl: TypeUrl.cluster });
  await stream.nextAcked(TypeUrl.cluster);
  await redis.client.flushall();
  edit('productpage');
  await untilEverywhere('productpage');
  // Who was connected hears of the edit, and of nothing else.
  const { resources, removed } = await stream.next(TypeUrl.cluster);
  expect(resources.map(({ name }) => name)).toEqual([expect.stringContaining('||productpage.')]);
  expect(removed).toEqual([]);
  for (const port of pilots) expect(await knows(port, 'reviews')).toBe(true);
});

it('goes on with the other registry when the one that leads is killed', async () => {
  const leader = registries.find(leads)!;
  const standby = registries.find((registry) => registry !== leader)!;
  await leader.stop('SIGKILL');
  fs.rmSync(path.join(folder, 'ratings.yaml'));
  await isReady(standby);
  edit('carts');
  await untilEverywhere('carts');
  // What went away while nobody led is gone too.
  for (const port of pilots) expect(await knows(port, 'ratings')).toBe(false);
});
