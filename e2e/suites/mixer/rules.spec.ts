import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { documents } from '../../src/index.js';
import { mixerYaml, PolicyMesh, untilStatus } from './policy-mesh.js';

jest.setTimeout(240_000);

/** An adapter that does to whoever asks it what its parameter says. */
const moody = `
const moods = {
  refuses: () => ({ code: 7, message: 'not you' }),
  throws: () => { throw new Error('in a bad mood'); },
  hangs: () => new Promise(() => undefined),
  rambles: () => ({ code: 'perhaps', validMs: -1 }),
  explodes: () => ({ code: 7, message: 'x'.repeat(1000000) }),
};
export default {
  name: 'moody',
  templates: ['checknothing', 'listentry'],
  params: { type: 'object', additionalProperties: false, properties: { mood: { type: 'string' } } },
  make: ({ mood }) => {
    if (mood === 'unmade') throw new Error('no mood at all');
    return { checknothing: moods[mood], listentry: moods[mood] };
  },
};
`;

const annotations = { 'policy.seine.dev/fail-open': 'false', 'policy.seine.dev/timeout': '200ms' };

/** A rule about one path, and a handler for it alone. */
function moodyRule(mood: string, match = `request.url_path == "/${mood}"`): string {
  return documents(
    mixerYaml('handler', mood, { compiledAdapter: 'moody', params: { mood } }),
    mixerYaml(
      'rule',
      mood,
      { match, actions: [{ handler: mood, instances: ['nothing.checknothing'] }] },
      { annotations },
    ),
  );
}

const nothing = mixerYaml('checknothing', 'nothing', null);
const failing = ['throws', 'hangs', 'rambles'];

interface Report {
  readonly rules: readonly { readonly name: string; readonly state: string; readonly problems: readonly string[] }[];
  readonly handlers: readonly { readonly name: string; readonly state: string }[];
}

let bookinfo: PolicyMesh;
let folder: string;
beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'moody-'));
  fs.writeFileSync(path.join(folder, 'moody.mjs'), moody);
  bookinfo = await PolicyMesh.start({ workloads: [{ name: 'ratings-v1', sidecar: true }] });
  await bookinfo.mixer.stop();
  const { mesh, mixer } = bookinfo;
  await mixer.start(mesh.identity, ['--config-dir', mesh.configDir, '--adapter', path.join(folder, 'moody.mjs')]);
});
afterAll(async () => {
  await bookinfo.stop();
  fs.rmSync(folder, { recursive: true });
});

const call = (of: string, headers: Record<string, string> = {}) =>
  bookinfo.mesh.call(`http://ratings:8080${of}`, { headers });

async function report(): Promise<Report> {
  const response = await fetch(`http://${bookinfo.mixer.adminAddress}/debug/policy`);
  return (await response.json()) as Report;
}

async function ruleNamed(name: string): Promise<Report['rules'][number] | undefined> {
  return (await report()).rules.find((rule) => rule.name === `${name}.rule.istio-system`);
}

describe('rules among which some go wrong', () => {
  beforeAll(async () => {
    await bookinfo.apply(documents(nothing, ...['refuses', 'explodes', ...failing].map((mood) => moodyRule(mood))));
    await untilStatus(403, () => call('/refuses'));
  });

  it('refuse what they refuse, and let the others pass', async () => {
    expect((await call('/')).status).toBe(200);
    expect((await call('/refuses')).body).toContain('not you');
  });

  it.each(failing)('do what their failure policy says where the adapter %s', async (mood) => {
    await untilStatus(500, () => call(`/${mood}`));
    expect((await call('/refuses')).status).toBe(403);
    expect((await call('/')).status).toBe(200);
  });

  it('hold up nobody else while an adapter hangs', async () => {
    const hanging = Array.from({ length: 50 }, () => call('/hangs'));
    const others = await Promise.all(Array.from({ length: 50 }, (_, i) => call(i % 2 === 0 ? '/refuses' : '/')));
    expect(others.map(({ status }) => status)).toEqual(others.map((_, i) => (i % 2 === 0 ? 403 : 200)));
    expect(new Set((await Promise.all(hanging)).map(({ status }) => status))).toEqual(new Set([500]));
    await poll(async () => (await ruleNamed('hangs'))?.state === 'degraded', 'the rule says that its handler hangs');
  });

  it('cut what a client is told', async () => {
    const { status, body } = await call('/explodes');
    expect(status).toBe(403);
    expect(body.length).toBeLessThan(2000);
  });

  it('bear a header of 50 KB', async () => {
    expect((await call('/refuses', { 'x-large': 'x'.repeat(50_000) })).status).toBe(403);
  });

  it('are counted under the names of Istio’s Mixer', async () => {
    const metrics = await (await fetch(`http://${bookinfo.mixer.adminAddress}/metrics`)).text();
    for (const mood of failing)
      expect(metrics).toMatch(
        new RegExp(
          `mixer_runtime_dispatches_total\\{handler="${mood}\\.handler\\.istio-system",adapter="moody",error="true"\\} [1-9]`,
        ),
      );
    expect(metrics).toMatch(/mixer_config_rule_configs_total 5/);
    expect(metrics).toMatch(/mixer_config_rule_config_errors_total 0/);
  });
});

describe('a rule that is edited', () => {
  it('stays in force as it was where its new version is none, and says so', async () => {
    await bookinfo.apply(documents(nothing, moodyRule('refuses')));
    await untilStatus(403, () => call('/refuses'));
    await bookinfo.apply(
      documents(nothing, moodyRule('refuses', 'request.url_paht == "/refuses"'), moodyRule('rambles')),
    );
    await poll(async () => (await ruleNamed('refuses'))?.state === 'degraded', 'the rule says what is wrong with it');
    expect((await ruleNamed('refuses'))?.problems).toEqual([
      expect.stringContaining('there is no attribute request.url_paht'),
    ]);
    await untilStatus(500, () => call('/rambles'));
    expect((await call('/refuses')).status).toBe(403);
  });

  it('keeps its handler at work where the new one cannot be made', async () => {
    await bookinfo.apply(documents(nothing, moodyRule('refuses')));
    await poll(async () => (await ruleNamed('refuses'))?.state === 'ready', 'the rule is right again');
    await bookinfo.apply(documents(nothing, moodyRule('refuses').replace('"mood":"refuses"', '"mood":"unmade"')));
    await poll(
      async () => (await report()).handlers.some(({ state }) => state === 'stale'),
      'the handler of before stays at work',
    );
    expect((await call('/refuses')).status).toBe(403);
    expect((await ruleNamed('refuses'))?.problems.join()).toContain('no mood at all');
  });
});
