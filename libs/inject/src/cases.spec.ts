import { describe, expect, it } from '@jest/globals';
import { fieldsOf, itemsOf, textOf } from '@seine/k8s';
import { defaultMeshConfig } from '@seine/model';
import fs from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { injectObject, type Manifest } from './inject-object.js';
import { defaultInjection, type InjectionSettings } from './injection-settings.js';

const repository = path.resolve(import.meta.dirname, '../../..');
const cases = path.join(process.env['SEINE_CASES'] ?? path.join(repository, '../shared/cases'), 'inject');
const files = fs.readdirSync(cases).filter((name) => name.endsWith('.yaml'));

/** Settings with which a case is meant, where they are not the defaults. */
const settingsOf: Readonly<Record<string, Partial<InjectionSettings>>> = {
  'traffic-params.yaml': {
    statusPort: 0,
    capture: {
      ...defaultInjection.capture,
      includeIPRanges: '127.0.0.1/24,10.96.0.1/24',
      excludeIPRanges: '10.96.0.2/24,10.96.0.3/24',
      excludeInboundPorts: '4,5,6',
    },
  },
  'status_params.yaml': { statusPort: 123 },
};

/**
 * Where the status port is another, or there is none, Istio still sends Prometheus to 15020. Seine sends it where the
 * proxy answers, or nowhere.
 */
const metricsElsewhere: readonly string[] = [
  'status_annotations.yaml',
  'status_annotations_zeroport.yaml',
  'status_params.yaml',
  'traffic-params.yaml',
];

/** Of these pods Seine wants something else than Istio: why. */
const refused: Readonly<Record<string, RegExp>> = {
  'grpc-simple.yaml': /'grpc-simple' is not a template/,
  'traffic-annotations-bad-excludeinboundports.yaml': /excludeInboundPorts.*'\*' is not a port/,
  'traffic-annotations-bad-excludeipranges.yaml': /excludeOutboundIPRanges.*'\*' is not a range/,
  'traffic-annotations-bad-includeinboundports.yaml': /includeInboundPorts.*'bad' is not a port/,
  'traffic-annotations-bad-includeipranges.yaml': /includeOutboundIPRanges.*'bad' is not a range/,
};

function read(file: string): readonly Manifest[] {
  const text = fs.readFileSync(path.join(cases, file), 'utf8');
  return parseAllDocuments(text).flatMap((document) => {
    const value = document.toJS() as Manifest | null;
    return value === null ? [] : [value];
  });
}

function settings(file: string): InjectionSettings {
  return {
    ...defaultInjection,
    meshConfig: defaultMeshConfig,
    proxyImage: 'envoy:test',
    captureImage: 'capture:test',
    ...settingsOf[file],
  };
}

const namespaces = { fallback: 'default', labelsOf: () => ({ 'istio-injection': 'enabled' }) };
const inject = (file: string, object: Manifest) => injectObject(object, namespaces, settings(file));

function podOf(object: Manifest) {
  const at = { CronJob: ['spec', 'jobTemplate', 'spec', 'template'], Pod: [] as string[] }[String(object.kind)];
  const pod = (at ?? ['spec', 'template']).reduce<unknown>((value, field) => fieldsOf(value)[field], object);
  return { metadata: fieldsOf(fieldsOf(pod)['metadata']), spec: fieldsOf(fieldsOf(pod)['spec']) };
}

const sorted = (names: readonly unknown[]) => names.map(String).sort();
const namesIn = (value: unknown) => itemsOf(value).map(({ name }) => name);
const probes = ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'];

/** What a user sees of an injected pod, whoever made it: not images and arguments, which are each one's own. */
function structure(object: Manifest, withMetrics: boolean) {
  const { metadata, spec } = podOf(object);
  const containers = itemsOf(spec['containers']);
  const status = JSON.parse(textOf(fieldsOf(metadata['annotations'])['sidecar.istio.io/status']) || '{}') as object;
  const { initContainers, containers: made, imagePullSecrets } = status as Record<string, unknown>;
  return {
    labels: metadata['labels'],
    annotations: Object.fromEntries(
      Object.entries(fieldsOf(metadata['annotations'])).filter(
        // Each injector's own notes.
        ([name]) =>
          !name.endsWith('/status') &&
          !name.endsWith('/overrides') &&
          (withMetrics || !name.startsWith('prometheus.io/')),
      ),
    ),
    status: { initContainers, containers: made, imagePullSecrets },
    containers: sorted(namesIn(containers)),
    initContainers: sorted(namesIn(spec['initContainers'])),
    application: containers
      .filter(({ name }) => name !== 'istio-proxy')
      .map((one) => [
        one['name'],
        Object.fromEntries(probes.flatMap((field) => (field in one ? [[field, one[field]]] : []))),
      ]),
  };
}

function proxyOf(object: Manifest) {
  const { spec } = podOf(object);
  return [...itemsOf(spec['containers']), ...itemsOf(spec['initContainers'])].find(
    ({ name }) => name === 'istio-proxy',
  );
}

describe('Istio’s own cases', () => {
  const goldens = files.filter((file) => !(file in refused));

  it.each(goldens)('%s becomes a pod of the same structure', (file) => {
    const wanted = read(`${file}.injected`);
    const got = read(file).map((object) => inject(file, object).object);
    const seen = (object: Manifest) => structure(object, !metricsElsewhere.includes(file));
    expect(got.map(seen)).toEqual(wanted.map(seen));
  });

  it.each([
    ['status_annotations.yaml', '123'],
    ['status_params.yaml', '123'],
    ['status_annotations_zeroport.yaml', undefined],
    ['traffic-params.yaml', undefined],
  ])('%s: Prometheus is sent to the port %s', (file, port) => {
    for (const object of read(file))
      expect(fieldsOf(podOf(inject(file, object).object).metadata['annotations'])['prometheus.io/port']).toBe(port);
  });

  it.each(goldens)('%s: the proxy gets the resources that are asked for', (file) => {
    const resources = (object: Manifest) => {
      const { limits = {}, requests = {} } = fieldsOf(proxyOf(object)?.['resources']);
      return { limits: normal(fieldsOf(limits)), requests: normal(fieldsOf(requests)) };
    };
    const got = read(file).map((object) => inject(file, object).object);
    expect(got.map(resources)).toEqual(read(`${file}.injected`).map(resources));
  });

  it.each(Object.entries(refused))('%s is refused, and says why', (file, why) => {
    const problems = read(file).flatMap((object) => inject(file, object).problems);
    expect(problems.map(({ annotation, message }) => `${annotation}: ${message}`).join('\n')).toMatch(why);
  });

  it.each(goldens)('I-4: %s comes out as it is when it is injected again, and again', (file) => {
    for (const object of read(file)) {
      const once = inject(file, object).object;
      const twice = inject(file, once).object;
      expect(twice).toEqual(once);
      expect(inject(file, twice).object).toEqual(once);
    }
  });
});

/** `1000m` and `1`, `1024Mi` and `1Gi` are the same. */
function normal(quantities: Readonly<Record<string, unknown>>) {
  const units: Readonly<Record<string, number>> = { m: 0.001, Mi: 2 ** 20, Gi: 2 ** 30 };
  return Object.fromEntries(
    Object.entries(quantities).map(([name, text]) => {
      const [, digits, unit = ''] = /^([\d.]+)(\w*)$/.exec(String(text)) ?? [];
      return [name, Number(digits) * (units[unit] ?? 1)];
    }),
  );
}
