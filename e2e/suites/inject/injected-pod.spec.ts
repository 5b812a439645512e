import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { defaultInjection, injectPod, type InjectionSettings, type Pod } from '@seine/inject';
import { defaultMeshConfig } from '@seine/model';
import { makeCertificate } from '../../src/certificates.js';
import type { TestProcess } from '../../src/index.js';
import { PlayedPod } from './played-pod.js';

jest.setTimeout(120_000);

const settings: InjectionSettings = {
  ...defaultInjection,
  meshConfig: defaultMeshConfig,
  proxyImage: 'envoy',
  captureImage: 'capture',
  discoveryAddress: '127.0.0.1:15012',
};

const httpGet = (path: string, port: number | string, more: object = {}) => ({ httpGet: { path, port, ...more } });

const application: Pod = {
  metadata: {
    name: 'app-1',
    labels: { app: 'app', version: 'v$(1)' },
    annotations: { 'sidecar.istio.io/componentLogLevel': 'hc:debug' },
  },
  spec: {
    containers: [
      {
        name: 'web',
        ports: [{ name: 'http', containerPort: 8080 }],
        livenessProbe: httpGet('/live?deep=1', 'http', { httpHeaders: [{ name: 'x-probe', value: 'kubelet' }] }),
        readinessProbe: httpGet('/broken', 8080),
        startupProbe: httpGet('/', 8443, { scheme: 'HTTPS' }),
        lifecycle: { preStop: httpGet('/bye', 8080, { httpHeaders: [{ name: 'Host', value: 'shop.example' }] }) },
      },
      { name: 'local', livenessProbe: httpGet('/', 8081), readinessProbe: { tcpSocket: { port: 8082 } } },
      { name: 'dead', livenessProbe: { tcpSocket: { port: 8083 } }, readinessProbe: { grpc: { port: 8084 } } },
      {
        name: 'rpc',
        readinessProbe: { grpc: { port: 8085, service: 'shop' } },
        livenessProbe: { grpc: { port: 8085 } },
      },
    ],
  },
};

/** Answers on all the ports above but the dead ones; the one of `local` on loopback alone. */
const program = `
import * as grpc from '@grpc/grpc-js';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
const { KEY: key, CERT: cert } = process.env;
const answers = { '/live?deep=1': ({ headers }) => headers['x-probe'] === 'kubelet', '/bye': ({ headers }) => headers.host === 'shop.example' };
const web = (request, response) => {
  response.statusCode = answers[request.url]?.(request) ? 200 : 500;
  response.end();
};
const ok = (request, response) => response.end();
http.createServer(web).listen(8080);
http.createServer(ok).listen(8081, '127.0.0.1');
net.createServer((socket) => socket.destroy()).listen(8082);
https.createServer({ key, cert }, ok).listen(8443);
// grpc.health.v1.Health/Check: SERVING (1) for a service that is named, NOT_SERVING (2) for the server as a whole.
const raw = (bytes) => bytes;
const path = '/grpc.health.v1.Health/Check';
const check = { path, requestStream: false, responseStream: false, requestSerialize: raw, requestDeserialize: raw, responseSerialize: raw, responseDeserialize: raw };
const health = new grpc.Server();
health.addService({ check }, { check: ({ request }, reply) => reply(null, Buffer.from([8, request.length > 0 ? 1 : 2])) });
await new Promise((resolve) => health.bindAsync('0.0.0.0:8085', grpc.ServerCredentials.createInsecure(), resolve));
console.log('listening');
`;

function injected(pod: Pod): Pod {
  const outcome = injectPod({ pod, namespace: 'default' }, settings);
  if ('problems' in outcome) throw new Error(JSON.stringify(outcome.problems));
  return outcome.pod;
}

let pod: PlayedPod;
let proxy: TestProcess;
beforeAll(async () => {
  pod = await PlayedPod.create(injected(application));
  const { key, cert } = makeCertificate(pod.folder);
  const started = pod.startApplication(program, { KEY: key.toString(), CERT: cert.toString() });
  await started.until(() => started.output.includes('listening'), 'listening');
  await pod.runToEnd('istio-init');
  proxy = pod.startProxy();
  await proxy.until(async () => (await pod.probe('/app-health/web/livez', 15_020)) === 200, 'answering');
});
afterAll(() => pod.stop());

describe('kubelet’s probes of an injected pod', () => {
  it('on the application’s own port do not reach it: they are redirected to the proxy', async () => {
    expect(await pod.probe('/live?deep=1', 8080)).toBe(0);
  });

  it.each([
    ['an HTTP probe of a named port, with its query and its headers', '/app-health/web/livez', 200],
    ['an HTTP probe that fails', '/app-health/web/readyz', 500],
    ['an HTTPS probe, whose certificate nobody knows', '/app-health/web/startupz', 200],
    ['a hook, with the host that it names', '/app-lifecycle/web/prestopz', 200],
    [
      'I-9: an application on loopback, which without a mesh would not be reached either',
      '/app-health/local/livez',
      503,
    ],
    ['a TCP probe', '/app-health/local/readyz', 200],
    ['a TCP probe of a dead port', '/app-health/dead/livez', 503],
    ['a gRPC probe of a dead port', '/app-health/dead/readyz', 503],
    ['a gRPC probe', '/app-health/rpc/readyz', 200],
    ['a gRPC probe of a server that does not serve', '/app-health/rpc/livez', 503],
    ['another path', '/app-health/web/else', 404],
  ])('I-8: %s', async (_what, path, status) => {
    let seen = 0;
    // What Envoy has found out by itself comes a moment later.
    await proxy.until(
      async () => (seen = await pod.probe(path, 15_020)) === status,
      `${path}: ${status}, not ${seen}`,
      20_000,
    );
    expect(seen).toBe(status);
  });
});

describe('the containers’ own commands, in bash alone', () => {
  it('drains through the admin port', async () => {
    const { lifecycle } = pod.container('istio-proxy');
    const { command } = (lifecycle?.preStop as unknown as { exec: { command: [string, ...string[]] } }).exec;
    const [shell, ...args] = command;
    await pod.run(shell, args);
    // Envoy itself goes on until kubelet ends it, and takes no connection any more.
    await proxy.until(async () => (await pod.probe('/app-health/web/livez', 15_020)) === 0, 'drained', 30_000);
  });
});
