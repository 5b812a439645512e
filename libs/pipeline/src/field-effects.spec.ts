import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { hasErrors } from '@seine/diagnostics';
import { kindInfo, validateObject } from '@seine/istio';
import type { ConfigObject, JsonSchema } from '@seine/k8s';
import { defaultMeshConfig, parseLocality, type Proxy } from '@seine/model';
import { aProxy } from '@seine/testing';
import { parse, parseAllDocuments } from 'yaml';
import { aKubernetesService, anIstioObject, aPod } from './testing/config-objects.js';
import { MeshUnderTest, versionsIn } from './testing/mesh-under-test.js';

type Spec = Readonly<Record<string, unknown>>;

function read(...names: readonly string[]): string {
  return fs.readFileSync(path.join(import.meta.dirname, ...names), 'utf8');
}

const objects = parseAllDocuments(read('field-effects.yaml')).map((document) => document.toJS() as ConfigObject);

/** Those of field-coverage.yaml that need no effect, as they say so themselves. */
function silent(entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && ('unsupported' in entry || 'refused' in entry);
}

function messageOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> | undefined {
  if (schema.items) return messageOf(schema.items);
  if (schema.properties) return schema.properties;
  return typeof schema.additionalProperties === 'object' ? messageOf(schema.additionalProperties) : undefined;
}

/** Messages that are there several times count once: what a subset or a port may say, the destination may. */
function canonical(at: string): string {
  return at.replace('.subsets.trafficPolicy.', '.trafficPolicy.').replace(/\.portLevelSettings\.(?!port\b)/, '.');
}

function leavesOf(schema: JsonSchema, coverage: unknown, at: string): readonly string[] {
  if (silent(coverage)) return [];
  const fields = messageOf(schema);
  if (!fields) return [canonical(at)];
  return Object.entries(fields).flatMap(([name, field]) =>
    leavesOf(field, (coverage as Spec | undefined)?.[name], `${at}.${name}`),
  );
}

interface Removal {
  readonly at: string;
  readonly spec: Spec;
}

/** The value with each of its fields taken away in turn. */
function removals(schema: JsonSchema, value: unknown, at: string, put: (value: unknown) => Spec): readonly Removal[] {
  const fields = messageOf(schema);
  if (!fields) return [];
  if (Array.isArray(value)) {
    const items = value as readonly unknown[];
    return items.flatMap((item, i) => removals(schema, item, at, (next) => put(items.with(i, next))));
  }
  const message = value as Spec;
  if (!schema.properties && !schema.items)
    // A map of messages: its keys are the user's.
    return Object.entries(message).flatMap(([key, item]) =>
      removals(schema.additionalProperties as JsonSchema, item, at, (next) => put({ ...message, [key]: next })),
    );
  return Object.entries(message).flatMap(([name, field]) => {
    const own = fields[name];
    if (!own) throw new Error(`${at} has no ${name}`);
    const here = `${at}.${name}`;
    const rest = Object.fromEntries(Object.entries(message).filter(([key]) => key !== name));
    const inner = removals(own, field, here, (next) => put({ ...message, [name]: next }));
    return inner.length > 0 ? inner : [{ at: canonical(here), spec: put(rest) }];
  });
}

const http = (name: string, port: number) => ({ name, port });
const pods = ['v1', 'v2', 'v3', 'v4'].flatMap((version, i) =>
  ['reviews', 'store', 'other'].map((app, j) =>
    aPod({
      name: `${app}-${version}`,
      ip: `10.0.${j}.${i + 1}`,
      labels: { app, version, 'topology.kubernetes.io/region': `r${i + 1}`, 'topology.kubernetes.io/zone': 'z1' },
    }),
  ),
);
const policy = (host: string, trafficPolicy: object, more: object = {}) =>
  anIstioObject('DestinationRule', { name: host }, { host, trafficPolicy, ...more });
const byNetwork = {
  outlierDetection: {},
  loadBalancer: { localityLbSetting: { failoverPriority: ['topology.istio.io/network'] } },
};
const simple = { mode: 'SIMPLE', sni: 'a.example.com' };
const selector = { istio: 'ingressgateway' };
const world = [
  aKubernetesService({ name: 'reviews', clusterIP: '10.96.0.1', ports: [http('http-a', 9080), http('http-b', 9090)] }),
  aKubernetesService({ name: 'other', clusterIP: '10.96.0.2', ports: [http('http-a', 80), http('http-b', 81)] }),
  aKubernetesService({ name: 'store', clusterIP: '10.96.0.3', ports: [http('tcp-a', 7000), http('tcp-b', 7001)] }),
  ...pods,
  anIstioObject(
    'ServiceEntry',
    { name: 'tls' },
    {
      hosts: ['tls.example.com'],
      addresses: ['10.3.3.3'],
      ports: [443, 8443].map((number) => ({ number, name: `tls-${number}`, protocol: 'TLS' })),
      resolution: 'DNS',
    },
  ),
  anIstioObject(
    'VirtualService',
    { name: 'delegate', namespace: 'elsewhere' },
    {
      http: [{ route: [{ destination: { host: 'reviews.default.svc.cluster.local' } }] }],
    },
  ),
  anIstioObject(
    'Gateway',
    { name: 'gw' },
    {
      selector,
      servers: [{ port: { number: 9080, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
    },
  ),
  anIstioObject(
    'Gateway',
    { name: 'l4' },
    {
      selector,
      servers: [
        { port: { number: 7000, name: 'tcp', protocol: 'TCP' }, hosts: ['*'] },
        { port: { number: 443, name: 'tls', protocol: 'TLS' }, hosts: ['*'], tls: { mode: 'PASSTHROUGH' } },
      ],
    },
  ),
  policy(
    'outside.example.com',
    { ...byNetwork, tls: { mode: 'ISTIO_MUTUAL' } },
    { subsets: [{ name: 'v1', labels: { version: 'v1' }, trafficPolicy: { tls: simple } }] },
  ),
  policy(
    'selecting.example.com',
    { ...byNetwork, tls: simple },
    { subsets: [{ name: 'mesh', trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } } }] },
  ),
  anIstioObject('WorkloadEntry', { name: 'vm-2' }, { address: '192.0.2.8', labels: { app: 'vm' }, network: 'n2' }),
];

const of = (fields: Partial<Proxy>): Proxy =>
  Object.freeze(
    aProxy({
      locality: parseLocality('r1/z1'),
      network: 'n1',
      workloadCertificates: true,
      dnsCapture: true,
      ...fields,
    }),
  );
const proxies = [
  of({ labels: { app: 'client', version: 'v1' } }),
  of({ labels: { app: 'client' }, locality: parseLocality('r2/z1') }),
  of({ labels: { app: 'another' } }),
  of({ namespace: 'elsewhere', labels: { app: 'client' } }),
  of({ type: 'router', labels: selector, dnsCapture: false }),
];

function versions(...added: readonly ConfigObject[]): string {
  const mesh = new MeshUnderTest([...world, ...added], defaultMeshConfig);
  return JSON.stringify(proxies.map((proxy) => versionsIn(mesh.views(proxy))));
}

/** What has to be there for an object to have an effect. */
const company = (kind: string): readonly ConfigObject[] =>
  objects.filter(
    (object) => object.kind === 'ServiceEntry' && kind === 'WorkloadEntry' && object.metadata.name === 'selecting',
  );

function hasEffect(object: ConfigObject, removal: Removal, before: string): boolean {
  const without = { ...object, spec: removal.spec };
  return hasErrors(validateObject(without)) || versions(...company(object.kind), without) !== before;
}

const coverage = parse(read('../../compile/src/field-coverage.yaml')) as Readonly<Record<string, unknown>>;

describe.each([
  ...['VirtualService', 'DestinationRule', 'ServiceEntry', 'WorkloadEntry'].map((kind) => ['networking', kind]),
  ['security', 'PeerAuthentication'],
] as [string, string][])('every field of %s.istio.io %s', (group, kind) => {
  const schema = kindInfo(`${group}.istio.io/v1`, kind)?.schema?.properties?.['spec'];
  if (!schema) throw new Error(`no schema of ${kind}`);
  const own = objects.filter((object) => object.kind === kind);

  it.each(own.map((object) => [object.metadata.name, object] as const))('is written well in %s', (_name, object) => {
    expect(validateObject(object).filter(({ code }) => code !== 'SEINE-DEPRECATED')).toEqual([]);
  });

  it('changes some proxy', () => {
    const wanted = new Set(leavesOf(schema, coverage[kind], kind));
    for (const object of own) {
      const before = versions(...company(kind), object);
      for (const removal of removals(schema, object.spec, kind, (value) => value as Spec))
        if (wanted.has(removal.at) && hasEffect(object, removal, before)) wanted.delete(removal.at);
    }
    expect([...wanted]).toEqual([]);
  });
});
