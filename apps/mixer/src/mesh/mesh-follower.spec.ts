import { afterEach, describe, expect, it } from '@jest/globals';
import { normalizeObject } from '@seine/istio';
import { type ConfigObject, objectKey } from '@seine/k8s';
import type { AdapterKind, CheckDispatch, CheckVerdict, Outcome } from '@seine/mixer';
import { adapterKinds } from '@seine/mixer-adapters';
import { MemoryStore } from '@seine/store-memory';
import { Registry } from 'prom-client';
import { MeshFollower } from './mesh-follower.js';
import { PolicyMetrics } from './policy.metrics.js';
import { policyReport, type RuleReport } from './policy-report.js';

const mixer = (kind: string, name: string, spec: unknown): ConfigObject =>
  normalizeObject({
    apiVersion: 'config.istio.io/v1alpha2',
    kind,
    metadata: { name, namespace: 'istio-system' },
    spec,
  });

const pod: ConfigObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'cart-a', namespace: 'shop', labels: { app: 'cart', version: 'v2' } },
  spec: { serviceAccountName: 'cart', containers: [] },
  status: { podIP: '10.0.0.9', phase: 'Running' },
};

const deny = mixer('handler', 'deny', {
  compiledAdapter: 'denier',
  params: { status: { code: 7, message: 'not today' } },
});
const nothing = mixer('checknothing', 'nothing', null);
const rule = (match: string): ConfigObject =>
  mixer('rule', 'deny', { match, actions: [{ handler: 'deny', instances: ['nothing.checknothing'] }] });

interface Followed {
  readonly follower: MeshFollower;
  readonly store: MemoryStore;
  readonly registry: Registry;
  readonly problems: string[];
  readonly put: (...objects: readonly ConfigObject[]) => Promise<void>;
}

const followers: MeshFollower[] = [];
afterEach(async () => {
  await Promise.all(followers.splice(0).map((follower) => follower.stop()));
});

function follow(adapters: readonly AdapterKind[] = adapterKinds): Followed {
  const store = new MemoryStore();
  const registry = new Registry();
  const metrics = new PolicyMetrics(registry);
  const problems: string[] = [];
  const errors: unknown[] = [];
  const follower = new MeshFollower({
    store,
    adapters,
    onProblem: (message) => problems.push(message),
    onError: (error) => errors.push(error),
    onPolicy: metrics.policy,
    events: metrics.events,
  });
  followers.push(follower);
  const put = async (...objects: readonly ConfigObject[]): Promise<void> => {
    const revision = await store.write(objects.map((object) => ({ key: objectKey(object), object })));
    await until(() => follower.revision >= revision);
    expect(errors).toEqual([]);
  };
  return { follower, store, registry, problems, put };
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setImmediate(resolve));
}

const get = { 'request.method': 'GET', 'destination.namespace': 'shop' } as const;
const bag = { get: (name: string) => (get as Readonly<Record<string, string>>)[name] };

async function check(follower: MeshFollower): Promise<readonly Outcome<CheckVerdict>[]> {
  const running = follower.policy();
  if (!running) throw new Error('there is no policy');
  const dispatches: readonly CheckDispatch[] = follower.dispatcher.resolveCheck(running.policy, bag);
  return Promise.all(dispatches.map(async (dispatch) => running.check(dispatch, bag)));
}

function reports({ follower }: Followed): readonly RuleReport[] {
  const running = follower.policy();
  return running ? policyReport(running, follower.revision).rules : [];
}

async function started(...objects: readonly ConfigObject[]): Promise<Followed> {
  const followed = follow();
  await followed.store.write(objects.map((object) => ({ key: objectKey(object), object })));
  await followed.store.markSynced();
  await followed.follower.start();
  return followed;
}

describe('mixer in a mesh', () => {
  it('has no policy before the mesh is whole', async () => {
    const { follower, store } = follow();
    const start = follower.start();
    await store.write([{ key: objectKey(deny), object: deny }]);
    expect(follower.policy()).toBeUndefined();
    expect(follower.ready).toBe(false);
    await store.markSynced();
    await start;
    expect(follower.ready).toBe(true);
  });

  it('does as its rules say, and as they say next', async () => {
    const { follower, put } = await started(deny, nothing, rule('request.method == "GET"'));
    expect(await check(follower)).toMatchObject([
      { verdict: { code: 7, message: expect.stringContaining('not today') } },
    ]);
    await put(rule('request.method == "PUT"'));
    expect(await check(follower)).toEqual([]);
  });

  it('knows who is who, as the mesh changes', async () => {
    const { follower, put } = await started(pod);
    const labels = (): unknown => follower.directory().workloadByAddress('10.0.0.9')?.labels;
    expect(labels()).toEqual({ app: 'cart', version: 'v2' });
    await put({ ...pod, metadata: { ...pod.metadata, labels: { app: 'cart', version: 'v3' } } });
    expect(labels()).toEqual({ app: 'cart', version: 'v3' });
  });

  it('keeps its policy while only others change', async () => {
    const { follower, put } = await started(deny, nothing, rule('true'));
    const { policy } = follower.policy() ?? {};
    await put(pod);
    expect(follower.policy()?.policy).toBe(policy);
  });

  it('keeps a rule in force that was broken, and says what is wrong: on the rule, once in the log, as a number', async () => {
    const followed = await started(deny, nothing, rule('request.method == "GET"'));
    const { follower, problems, put, registry } = followed;
    await put(rule('request.methd == "GET"'));
    await put(pod);
    expect(await check(follower)).toHaveLength(1);
    expect(problems).toEqual([
      expect.stringContaining('rule istio-system/deny spec.match: there is no attribute request.methd'),
    ]);
    expect(reports(followed)).toMatchObject([
      { name: 'deny.rule.istio-system', state: 'degraded', match: 'request.method == "GET"', problems },
    ]);
    expect(await registry.getSingleMetricAsString('mixer_config_rule_config_errors_total')).toMatch(/_total 1$/m);
    await put(rule('request.method == "GET"'));
    expect(reports(followed)).toMatchObject([{ state: 'ready', problems: [] }]);
    expect(await registry.getSingleMetricAsString('mixer_config_rule_config_errors_total')).toMatch(/_total 0$/m);
  });

  it('says of a rule of which nothing is left why that is so', async () => {
    const followed = await started(nothing, rule('true'));
    expect(reports(followed)).toMatchObject([
      {
        name: 'deny.rule.istio-system',
        state: 'failed',
        problems: [expect.stringContaining('there is no handler "deny"')],
      },
    ]);
  });

  it('counts what handlers do under the names of Istio’s Mixer', async () => {
    const { follower, registry, put, store } = await started(deny, nothing, rule('true'));
    await check(follower);
    await check(follower);
    const labels = 'handler="deny.handler.istio-system",adapter="denier",error="false"';
    expect(await registry.metrics()).toContain(`mixer_runtime_dispatches_total{${labels}} 2`);
    expect(await registry.metrics()).toContain(`mixer_runtime_dispatch_duration_seconds_count{${labels}} 2`);
    expect(await registry.metrics()).toContain('mixer_handler_new_handlers_total 1');
    const revision = await store.write([{ key: objectKey(deny) }]);
    await until(() => follower.revision >= revision);
    await put(pod);
    await until(() => follower.policy()?.status.length === 0);
    // Series of a handler that is gone go with it.
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(await registry.metrics()).not.toContain('handler="deny.handler.istio-system"');
  });

  it('has no rules where there is no mesh', async () => {
    const follower = new MeshFollower({ adapters: adapterKinds, onProblem: () => undefined, onError: () => undefined });
    followers.push(follower);
    await follower.start();
    expect(follower.ready).toBe(true);
    expect(await check(follower)).toEqual([]);
  });
});
