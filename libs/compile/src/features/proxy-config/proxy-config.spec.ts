import { expect, it } from '@jest/globals';
import type { ProxyConfig, ProxyConfigSpec, ProxySettings } from '@seine/istio';
import { effectiveProxySettings } from './proxy-config.js';

const resource = (namespace: string, spec: ProxyConfigSpec, name = 'p'): ProxyConfig => ({
  apiVersion: 'networking.istio.io/v1beta1',
  kind: 'ProxyConfig',
  metadata: { name, namespace },
  spec,
});
const selecting = (app: string, spec: ProxyConfigSpec): ProxyConfigSpec => ({
  ...spec,
  selector: { matchLabels: { app } },
});

const ofMesh = resource('istio-system', { concurrency: 1 });
const ofNamespace = resource('default', { concurrency: 2 });
const ofWorkload = resource('default', selecting('a', { concurrency: 4 }));
const annotation: ProxySettings = { concurrency: 3 };

function effective(resources: readonly ProxyConfig[], annotated?: ProxySettings, defaultConfig: ProxySettings = {}) {
  const target = { namespace: 'default', labels: { app: 'a' }, annotation: annotated };
  return effectiveProxySettings(resources, target, { rootNamespace: 'istio-system', defaultConfig });
}

it.each<[string, ProxySettings, number | undefined]>([
  ['nothing', effective([]), undefined],
  ['the mesh’s default', effective([], undefined, { concurrency: 9 }), 9],
  ['the root namespace', effective([ofMesh], undefined, { concurrency: 9 }), 1],
  ['the namespace', effective([ofMesh, ofNamespace]), 2],
  ['the annotation', effective([ofMesh, ofNamespace], annotation), 3],
  ['the workload', effective([ofMesh, ofNamespace, ofWorkload], annotation), 4],
  ['another workload', effective([ofMesh, resource('default', selecting('b', { concurrency: 5 }))]), 1],
  ['another namespace', effective([ofMesh, resource('other', { concurrency: 5 })]), 1],
  [
    'a selector in the root namespace, which is for that namespace',
    effective([resource('istio-system', selecting('a', { concurrency: 5 }))]),
    undefined,
  ],
  ['the oldest of two', effective([ofNamespace, resource('default', { concurrency: 7 }, 'younger')]), 2],
  ['zero, one worker a core', effective([ofMesh, resource('default', { concurrency: 0 })]), 0],
])('concurrency of %s', (_what, { concurrency }, expected) => {
  expect(concurrency).toBe(expected);
});

it('joins environment variables and nested settings, and replaces lists', () => {
  const settings = effective(
    [
      resource('istio-system', { environmentVariables: { A: 'mesh', B: 'mesh' }, image: { imageType: 'debug' } }),
      resource('default', selecting('a', { environmentVariables: { B: 'workload' } })),
    ],
    { proxyStatsMatcher: { inclusionPrefixes: ['x'] } },
    { proxyMetadata: { C: 'default' }, proxyStatsMatcher: { inclusionPrefixes: ['y'], inclusionSuffixes: ['z'] } },
  );
  expect(settings).toEqual({
    proxyMetadata: { A: 'mesh', B: 'workload', C: 'default' },
    image: { imageType: 'debug' },
    proxyStatsMatcher: { inclusionPrefixes: ['x'], inclusionSuffixes: ['z'] },
  });
});
