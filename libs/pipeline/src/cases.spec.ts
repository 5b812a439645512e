import { describe, expect, it } from '@jest/globals';
import { formatDiagnostic } from '@seine/diagnostics';
import { type EnvoyFilterSpec, kindInfo, kinds, type SidecarSpec } from '@seine/istio';
import { type ConfigObject, groupOf } from '@seine/k8s';
import { defaultMeshConfig, type Proxy } from '@seine/model';
import { parseConfig } from '@seine/source-file';
import { aProxy } from '@seine/testing';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { proxyBeside, viewsToJson } from './compile-proxy.js';
import { violationsOf } from './testing/golden-case.js';
import { MeshUnderTest } from './testing/mesh-under-test.js';
import { nackCauses } from './testing/nack-causes.js';

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const cases = process.env['SEINE_CASES'] ?? path.join(repository, '../shared/cases');
const index = path.join(cases, 'index.tsv');
/** Left out: no objects of a cluster but input of `istioctl install`, without a name. */
const installerInput = 'samples/open-telemetry/loki/iop.yaml';
const families = [
  'samples/',
  'config/',
  'seeds/',
  'validation/dataset/',
  'gatewayapi/',
  'ingress/',
  'telemetry/',
  'pilot/',
];

/** What a program fills in before anybody applies it. */
function isTemplate(file: string): boolean {
  return fs.readFileSync(path.join(cases, file), 'utf8').includes('{{');
}

/** Files of the corpus that have to be taken as they are. */
function acceptedFiles(): readonly string[] {
  if (!fs.existsSync(index)) return [];
  return fs
    .readFileSync(index, 'utf8')
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(
      ([file = '', verdict = '']) => families.some((f) => file.startsWith(f)) && /^(OK|OUTPUT-IN)\b/.test(verdict),
    )
    .flatMap(([file = '']) => (/\.ya?ml$/.test(file) && file !== installerInput && !isTemplate(file) ? [file] : []));
}

const kubernetes = new Set(['Service', 'Pod', 'Deployment', 'Endpoints', 'EndpointSlice', 'Secret', 'ConfigMap']);

/** Kinds that Seine acts on; of others a file may say what it will. */
function isActedOn({ apiVersion, kind }: Pick<ConfigObject, 'apiVersion' | 'kind'>): boolean {
  if (/^(gateway\.networking\.(x-)?k8s\.io|networking\.k8s\.io)$/.test(groupOf(apiVersion))) return true;
  return groupOf(apiVersion) === ''
    ? kubernetes.has(kind)
    : (kindInfo(apiVersion, kind)?.actedOn ?? kubernetes.has(kind));
}

/** Proxies of every kind in each namespace, and beside each workload. */
function proxiesOf(world: MeshUnderTest): readonly Proxy[] {
  const namespaces = new Set(['default', ...[...world.objects.values()].map((object) => object.metadata.namespace)]);
  const selectors = [...world.objects.values()]
    .filter(({ kind }) => kind === 'Gateway')
    .map(({ spec }) => (spec as { readonly selector?: Readonly<Record<string, string>> }).selector ?? {});
  const patched = [...world.objects.values()]
    .filter(({ kind }) => kind === 'EnvoyFilter')
    .map(({ spec }) => (spec as EnvoyFilterSpec).workloadSelector?.labels ?? {});
  const scoped = [...world.objects.values()]
    .filter(({ kind }) => kind === 'Sidecar')
    .map(({ spec }) => (spec as SidecarSpec).workloadSelector?.labels ?? {});
  const made = [...namespaces].flatMap((namespace) => {
    const own = { namespace, dnsDomain: `${namespace}.svc.cluster.local` };
    return [
      aProxy(own),
      aProxy({ ...own, dnsCapture: true }),
      aProxy({ ...own, interceptionMode: 'NONE', httpProxyPort: 15080, outboundCidr: '127.4.7.0/24' }),
      aProxy({ ...own, proxyless: true }),
      ...[...patched, ...scoped].map((labels) => aProxy({ ...own, labels })),
      ...scoped.map((labels) => aProxy({ ...own, labels, interceptionMode: 'NONE', httpProxyPort: 15080 })),
      ...[{ istio: 'ingressgateway' }, ...selectors, ...patched].map((labels) =>
        aProxy({ ...own, type: 'router', labels }),
      ),
    ];
  });
  const beside = [...new Set(world.mesh.workloads.values())].map((workload) =>
    proxyBeside(workload, defaultMeshConfig),
  );
  return [...made, ...beside];
}

describe('real Istio YAML', () => {
  it('is there: SEINE_CASES names the folder, default ../shared/cases', () => {
    expect(fs.existsSync(index) ? '' : `${index} is missing`).toBe('');
    expect(acceptedFiles().length).toBeGreaterThan(80);
  });

  it.each(acceptedFiles())('%s is taken, and compiles to what Envoy takes for every kind of proxy', (file) => {
    const { objects, diagnostics } = parseConfig(fs.readFileSync(path.join(cases, file), 'utf8'), file);
    const errors = diagnostics.filter(
      ({ severity, object }) => severity === 'error' && (!object || knows(object.kind)),
    );
    expect(errors.map(formatDiagnostic)).toEqual([]);
    const world = new MeshUnderTest(objects.filter(isActedOn));
    for (const proxy of proxiesOf(world)) {
      const compiled = viewsToJson(world.views(Object.freeze(proxy)));
      expect([...nackCauses(compiled), ...violationsOf(compiled)]).toEqual([]);
    }
  });
});

const actedOn: ReadonlySet<string> = new Set(kinds.filter((info) => info.actedOn).map(({ kind }) => kind));

/** Secrets of the corpus hold words where certificates should be. */
function knows(kind: string): boolean {
  return kind !== 'Secret' && (actedOn.has(kind) || kubernetes.has(kind));
}
