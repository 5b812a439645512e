import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { documents, meshConfigYaml } from '../../src/index.js';
import { SteadyLoad } from '../identity/steady-load.js';
import { mixerYaml, PolicyMesh, untilStatus } from './policy-mesh.js';

jest.setTimeout(240_000);
let bookinfo: PolicyMesh;
let opa: http.Server;
/** What the policy agent does with a question; undefined = it never answers. */
let verdict: { readonly status: number; readonly body: string } | undefined;
beforeAll(async () => {
  opa = http.createServer((question, answer) => {
    question.resume();
    if (verdict) answer.writeHead(verdict.status, { 'content-type': 'application/json' }).end(verdict.body);
  });
  await new Promise<void>((resolve) => opa.listen(0, '127.0.0.1', resolve));
  bookinfo = await PolicyMesh.start({ workloads: [{ name: 'ratings-v1', sidecar: true }] });
});
afterAll(async () => {
  await bookinfo.stop();
  opa.closeAllConnections();
  opa.close();
});

const url = 'http://ratings:8080';
const call = (path = '/') => bookinfo.mesh.call(url + path);

describe('when mixer is away', () => {
  /** Mixer must be asked for each request: nobody else counts. */
  const quota = documents(
    mixerYaml('handler', 'count', {
      compiledAdapter: 'memquota',
      params: { quotas: [{ name: 'count.instance.istio-system', maxAmount: 1_000_000, validDuration: '600s' }] },
    }),
    mixerYaml('instance', 'count', { compiledTemplate: 'quota', params: { dimensions: {} } }),
    mixerYaml('QuotaSpec', 'count', { rules: [{ quotas: [{ charge: 1, quota: 'count' }] }] }),
    mixerYaml('QuotaSpecBinding', 'count', {
      quotaSpecs: [{ name: 'count', namespace: 'istio-system' }],
      services: [{ name: 'ratings', namespace: 'default' }],
    }),
    mixerYaml('rule', 'count', { actions: [{ handler: 'count', instances: ['count'] }] }),
    // The last one is refused: so it can be seen whether mixer is asked.
    mixerYaml('handler', 'deny', { compiledAdapter: 'denier', params: {} }),
    mixerYaml('instance', 'deny', { compiledTemplate: 'checknothing' }),
    mixerYaml('rule', 'deny', {
      match: 'request.query_params["asked"] == "yes"',
      actions: [{ handler: 'deny', instances: ['deny'] }],
    }),
  );

  /** Kills mixer under load, and starts it again. @returns what became of requests meanwhile */
  async function outcomes(policyCheckFailOpen: boolean): Promise<readonly string[]> {
    await bookinfo.mesh.apply('mesh-config', meshConfigYaml({ policyCheckFailOpen }));
    await bookinfo.apply(quota);
    await untilStatus(403, () => call('/?asked=yes'));
    const load = new SteadyLoad(bookinfo.mesh, url);
    const untilMore = async () => {
      const before = load.count;
      await poll(() => load.count > before + 30, 'more requests', 30_000);
    };
    await untilMore();
    await bookinfo.mixer.stop('SIGKILL');
    await untilMore();
    await bookinfo.startMixer();
    await untilStatus(403, () => call('/?asked=yes'));
    const ended = Object.keys(await load.end());
    expect((await call()).status).toBe(200);
    return ended.map((outcome) => outcome.slice(0, 3)).sort();
  }

  it('policyCheckFailOpen: true lets all requests pass', async () => {
    expect(await outcomes(true)).toEqual(['200']);
  });

  it('policyCheckFailOpen: false refuses with 503 until it is back', async () => {
    expect(await outcomes(false)).toEqual(['200', '503']);
  });
});

describe('when an adapter fails', () => {
  const agent = (annotations: Record<string, string>) => {
    const { port } = opa.address() as AddressInfo;
    return documents(
      mixerYaml('handler', 'agent', {
        compiledAdapter: 'opa',
        params: { url: `http://127.0.0.1:${port}`, checkMethod: 'data.mixer.allow' },
      }),
      mixerYaml('instance', 'agent', {
        compiledTemplate: 'authorization',
        params: { subject: { user: 'source.principal | ""' }, action: { path: 'request.path' } },
      }),
      mixerYaml('rule', 'agent', { actions: [{ handler: 'agent', instances: ['agent'] }] }, { annotations }),
    );
  };
  const broken = { status: 500, body: '{}' };

  it('and nothing is said, policyCheckFailOpen says what becomes of requests', async () => {
    verdict = broken;
    await bookinfo.mesh.apply('mesh-config', meshConfigYaml({ policyCheckFailOpen: false }));
    await bookinfo.apply(agent({}));
    const { body } = await untilStatus(500, call);
    expect(body).toBe('INTERNAL:agent.istio-system:the policy could not be checked');
    await bookinfo.mesh.apply('mesh-config', meshConfigYaml({ policyCheckFailOpen: true }));
    await untilStatus(200, call);
  });

  it('policy.seine.dev/fail-open says it for one rule', async () => {
    verdict = broken;
    await bookinfo.mesh.apply('mesh-config', meshConfigYaml({ policyCheckFailOpen: true }));
    await bookinfo.apply(agent({ 'policy.seine.dev/fail-open': 'false' }));
    await untilStatus(500, call);
    await bookinfo.mesh.apply('mesh-config', meshConfigYaml({ policyCheckFailOpen: false }));
    await bookinfo.apply(agent({ 'policy.seine.dev/fail-open': 'true' }));
    await untilStatus(200, call);
  });

  it('policy.seine.dev/timeout ends the waiting for one that hangs', async () => {
    verdict = undefined;
    await bookinfo.apply(agent({ 'policy.seine.dev/fail-open': 'false', 'policy.seine.dev/timeout': '50ms' }));
    await untilStatus(500, call);
    await bookinfo.apply(agent({ 'policy.seine.dev/fail-open': 'true', 'policy.seine.dev/timeout': '50ms' }));
    await untilStatus(200, call);
  });

  it('it decides again once it answers', async () => {
    verdict = { status: 200, body: '{"result": true}' };
    await bookinfo.apply(agent({ 'policy.seine.dev/fail-open': 'false' }));
    await untilStatus(200, call);
    verdict = { status: 200, body: '{"result": false}' };
    await untilStatus(403, call);
  });
});
