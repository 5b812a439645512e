import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  documents,
  EchoServer,
  Envoy,
  freePort,
  istioYaml,
  LoopbackAddresses,
  MeshIdentity,
  mutualTlsLabel,
  PilotProcess,
  podYaml,
  request,
  type Seen,
  serviceYaml,
  sidecarNode,
  TestMesh,
} from '../../src/index.js';
import { SteadyLoad } from './steady-load.js';

jest.setTimeout(300_000);

const strict = istioYaml('PeerAuthentication', 'default', { mtls: { mode: 'STRICT' } }).replace(
  'networking.',
  'security.',
);
/** Every call shakes hands anew: certificates are looked at when a connection is made. */
const newConnections = istioYaml('DestinationRule', 'reviews', {
  host: 'reviews',
  trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } },
});
const url = 'http://reviews:8080/';

describe('with nobody there', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-cold-'));
  const configDir = path.join(folder, 'config');
  const ends: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it('a mesh comes up whose Envoys were before the agent, the agent before citadel, and citadel before pilot', async () => {
    const addresses = new LoopbackAddresses();
    const placeOf = (name: string) => ({ name, namespace: 'default', address: addresses.next(), serviceAccount: name });
    const [client, reviews] = [placeOf('client'), placeOf('reviews')];
    const labelsOf = (app: string) => ({ app, ...mutualTlsLabel });
    const pods = [client, reviews].map((place) => podYaml({ ...place, labels: labelsOf(place.name) }));
    fs.mkdirSync(configDir);
    const yaml = documents(...pods, serviceYaml({ name: 'reviews' }), strict, newConnections);
    fs.writeFileSync(path.join(configDir, 'mesh.yaml'), yaml);
    const echo = await EchoServer.listen('reviews', '127.0.0.1', 0);
    ends.push(() => echo.close());
    const identity = await MeshIdentity.prepare(folder);
    ends.push(() => identity.stop());
    const secureXds = await freePort();
    const call = () => request(client.address, 15_007, url, { headers: { host: 'reviews:8080' } });

    // Nobody else is there.
    const envoys: Envoy[] = [];
    for (const place of [client, reviews]) {
      identity.enroll(place);
      const appPorts = new Map(place === reviews ? [[8080, echo.port]] : []);
      const node = sidecarNode(place, labelsOf(place.name), appPorts);
      const agentSocket = identity.socketOf(place.name);
      const envoy = await Envoy.spawn({ node, folder, agentSocket, xdsPort: secureXds, xdsIdentity: identity.pilotId });
      ends.push(() => envoy.kill());
      envoys.push(envoy);
    }
    for (const envoy of envoys)
      await envoy.process.until(async () => (await envoy.state()) === 'PRE_INITIALIZING', 'up, and waiting');

    const agent = await identity.startAgent();
    await agent.until(() => agent.output.includes('no certificate'), 'refused by a citadel that is not there');

    await identity.startCitadel();
    await identity.untilCertified();
    for (const envoy of envoys) expect(await envoy.state()).not.toBe('LIVE');

    const ports = { xds: 0, secureXds, admin: await freePort() };
    const pilot = await PilotProcess.start(configDir, ports, identity.pilotArguments());
    ends.push(() => pilot.stop('SIGKILL'));
    for (const envoy of envoys) await envoy.untilLive();
    await pilot.untilSynced(['client', 'reviews']);
    const { status, body } = await call();
    expect(status).toBe(200);
    const { headers } = JSON.parse(body) as Seen;
    expect(headers['x-forwarded-client-cert']).toContain('URI=spiffe://cluster.local/ns/default/sa/client');
  });
});

describe('with Envoys alone', () => {
  let mesh: TestMesh;
  let load: SteadyLoad | undefined;
  beforeAll(async () => {
    mesh = await TestMesh.start({
      identity: true,
      workloads: [{ name: 'reviews-v1', sidecar: true }],
      config: { strict, newConnections },
    });
  });
  afterEach(() => load?.end());
  afterAll(() => mesh.stop());

  it('traffic flows on with new connections, and all goes on when the others are back', async () => {
    load = new SteadyLoad(mesh, url);
    await mesh.client.process.until(() => load!.count > 50, 'called');
    await Promise.all([mesh.pilot.stop('SIGKILL'), mesh.agent.stop('SIGKILL'), mesh.citadel.stop('SIGKILL')]);
    const alone = load.count;
    await mesh.client.process.until(() => load!.count > alone + 500, 'called by themselves');
    await mesh.identity.startCitadel();
    await mesh.identity.startAgent();
    await mesh.identity.untilCertified();
    await mesh.restartPilot();
    await mesh.apply('later', serviceYaml({ name: 'later' }));
    expect(Object.keys(await load.end())).toEqual(['200']);
  });
});
