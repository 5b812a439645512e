// npm run bench -- agents: what the agent of a node takes for 1, 50 and 200 workloads, and an Envoy beside it.
import { generateKeyPairSync, sign } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { findEnvoy } from '../libs/envoy-process/dist/index.js';
import { median } from './median.mjs';
import { freePort, start, waitFor } from './processes.mjs';
import { openSecretStreams } from './secret-streams.mjs';

const root = path.resolve(import.meta.dirname, '..');
const host = '127.0.0.1';
const counts = [1, 50, 200];
/** Seconds that certificates live: so each is renewed several times while it is measured. */
const life = 20;
const idleSeconds = 15;
const renewingSeconds = 60;
const ticksPerSecond = 100;
const issuer = 'https://bench';
/** Nothing is limited: all requests come from one address here. */
const limits = ['--limit-per-address', '1000000,1000000', '--limit-per-identity', '1000000,1000000'];

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** CPU that a process has taken so far, in seconds. */
function cpuOf(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Resident memory of a process now, in MB; its own pages, without those of files that others have too. */
function memoryOf(pid) {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  const value = (name) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)[1]) / 1024;
  return { resident: value('VmRSS'), own: value('RssAnon') };
}

function provider(folder) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwks = path.join(folder, 'jwks.json');
  const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256' }];
  fs.writeFileSync(jwks, JSON.stringify({ keys }));
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const tokenOf = (account) => {
    const exp = Math.floor(Date.now() / 1000) + 3600;
    const claims = { iss: issuer, aud: 'istio-ca', sub: `system:serviceaccount:bench:${account}`, exp };
    const text = `${part({ alg: 'ES256', kid: 'bench' })}.${part(claims)}`;
    const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  };
  return { jwks, tokenOf };
}

async function program(app, args) {
  const main = path.join(root, `apps/${app}/dist/main.js`);
  const admin = `${host}:${await freePort()}`;
  const started = start(process.execPath, [main, ...args, '--admin', admin], { cwd: root });
  await waitFor(() => /^ready$/m.test(started.output()), 60, `${app} to be ready`, started);
  return { ...started, admin };
}

/** The sum of a counter of the agent over all of its labels. */
async function counter(admin, name) {
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

async function measureAgent(count, { folder, citadelFlags, tokenOf }, progress) {
  progress(`agent with ${count} workloads`);
  const workloads = Array.from({ length: count }, (_, index) => {
    const [token, socket] = [path.join(folder, `w${index}.token`), path.join(folder, `${count}-w${index}/socket`)];
    fs.writeFileSync(token, tokenOf(`w${index}`));
    return { socket, flags: ['--workload', `w${index}=bench/w${index},token-file=${token},socket=${socket}`] };
  });
  const flags = workloads.flatMap((workload) => workload.flags);
  const run = async (ttl, seconds) => {
    const agent = await program('agent', [...citadelFlags, ...flags, '--ttl', String(ttl)]);
    const streams = openSecretStreams(workloads.map(({ socket }) => socket));
    try {
      await waitFor(() => streams.complete() === count, 60, 'all certificates', agent);
      await pause(3);
      const [cpu, asked] = [cpuOf(agent.pid), await counter(agent.admin, 'istio_agent_num_outgoing_requests')];
      const samples = [];
      for (let second = 0; second < seconds; second++) {
        await pause(1);
        samples.push(memoryOf(agent.pid));
      }
      const renewals = (await counter(agent.admin, 'istio_agent_num_outgoing_requests')) - asked;
      const of = (key) => median(samples.map((sample) => sample[key]));
      return { resident: of('resident'), own: of('own'), cpu: cpuOf(agent.pid) - cpu, renewals };
    } finally {
      streams.close();
      await agent.stop();
    }
  };
  const idle = await run(86_400, idleSeconds);
  const renewing = await run(life, renewingSeconds);
  return {
    count,
    residentMb: idle.resident,
    ownMb: idle.own,
    idleCores: idle.cpu / idleSeconds,
    residentRenewingMb: renewing.resident,
    renewals: renewing.renewals,
    // What idling takes is no renewal's.
    msPerRenewal: (1000 * Math.max(0, renewing.cpu - (idle.cpu / idleSeconds) * renewingSeconds)) / renewing.renewals,
  };
}

/** An Envoy that takes a certificate from an agent and serves TLS by it; what pilot gives a sidecar comes on top. */
function bootstrap(socket, port) {
  const source = {
    api_type: 'GRPC',
    transport_api_version: 'V3',
    grpc_services: [{ envoy_grpc: { cluster_name: 'sds' } }],
  };
  const secret = (name) => ({ name, sds_config: { resource_api_version: 'V3', api_config_source: source } });
  const type = (name) => `type.googleapis.com/envoy.extensions.${name}`;
  const context = {
    '@type': type('transport_sockets.tls.v3.DownstreamTlsContext'),
    common_tls_context: {
      tls_certificate_sds_secret_configs: [secret('default')],
      validation_context_sds_secret_config: secret('ROOTCA'),
    },
  };
  const proxy = { '@type': type('filters.network.tcp_proxy.v3.TcpProxy'), stat_prefix: 'in', cluster: 'sds' };
  const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  const address = { pipe: { path: socket } };
  return {
    node: { id: 'bench', cluster: 'bench' },
    static_resources: {
      listeners: [
        {
          name: 'in',
          address: { socket_address: { address: host, port_value: port } },
          filter_chains: [
            {
              filters: [{ name: 'tcp', typed_config: proxy }],
              transport_socket: { name: 'tls', typed_config: context },
            },
          ],
        },
      ],
      clusters: [
        {
          name: 'sds',
          type: 'STATIC',
          load_assignment: { cluster_name: 'sds', endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
          typed_extension_protocol_options: {
            [options]: {
              '@type': `type.googleapis.com/${options}`,
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
        },
      ],
    },
  };
}

async function measureEnvoy({ folder, citadelFlags, tokenOf }, progress) {
  progress('an Envoy');
  const [token, socket, file] = ['envoy.token', 'envoy/socket', 'envoy.json'].map((name) => path.join(folder, name));
  fs.writeFileSync(token, tokenOf('envoy'));
  const port = await freePort();
  fs.writeFileSync(file, JSON.stringify(bootstrap(socket, port)));
  const workload = `envoy=bench/envoy,token-file=${token},socket=${socket}`;
  const agent = await program('agent', [...citadelFlags, '--workload', workload]);
  const args = ['-c', file, '--concurrency', '2', '--disable-hot-restart', '--log-level', 'warning'];
  const { path: binary } = await findEnvoy();
  const envoy = start(binary, args);
  try {
    // It listens once it has its secrets.
    await waitFor(() => isListening(port), 60, 'Envoy to listen', envoy);
    await pause(5);
    return memoryOf(envoy.pid);
  } finally {
    await envoy.stop();
    await agent.stop();
  }
}

function isListening(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, host, () => resolve(true)).once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    setTimeout(() => socket.destroy(), 1000).unref();
  });
}

/** @returns a row for each number of workloads, and an Envoy's memory */
export async function measureAgents(progress) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-bench-agents-'));
  const { jwks, tokenOf } = provider(folder);
  const state = path.join(folder, 'citadel');
  const listen = `${host}:${await freePort()}`;
  const oidc = ['--oidc-issuer', issuer, '--oidc-jwks', jwks];
  const citadel = await program('citadel', ['--state', state, '--listen', listen, ...oidc, ...limits]);
  const citadelFlags = ['--citadel', listen, '--root-cert', path.join(state, 'ca/root-cert.pem')];
  try {
    const context = { folder, citadelFlags, tokenOf };
    const envoy = await measureEnvoy(context, progress);
    const agents = [];
    for (const count of counts) agents.push(await measureAgent(count, context, progress));
    return { agents, envoy };
  } finally {
    await citadel.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
