import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { formatDiagnostic } from '@seine/diagnostics';
import { type ConfigObject, groupOf, objectKey } from '@seine/k8s';
import { parseConfig } from '@seine/source-file';
import { caCertificate, shopCertificate, shopKey } from '@seine/testing';
import { parseAllDocuments } from 'yaml';
import { translateGatewayApi } from './index.js';
import { clusterDomain, endpointsAround, worldAround } from './testing/case-world.js';

const cases = path.resolve(process.env['SEINE_CASES'] ?? path.join(import.meta.dirname, '../../../../shared/cases'));
const folder = path.join(cases, 'gatewayapi');

/** Rows of the corpus that are not matched, and why. */
const unmatched: Readonly<Record<string, string>> = {
  'reference-policy-inferencepool.status.yaml.golden':
    'made with the inference extension, which is off in Istio by default and which is not here: the route is told so in other words',
};

interface Doc {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: unknown;
  readonly status?: unknown;
}

function documents(file: string): readonly Doc[] {
  return parseAllDocuments(fs.readFileSync(path.join(folder, file), 'utf8')).flatMap(
    (document) => (document.toJS() as Doc | null) ?? [],
  );
}

const inputs = fs.existsSync(folder)
  ? fs.readdirSync(folder).flatMap((file) => (/^[^.]+\.yaml$/.test(file) ? [file.replace(/\.yaml$/, '')] : []))
  : [];

function read(name: string): readonly ConfigObject[] {
  const file = path.join(folder, `${name}.yaml`);
  const { objects, diagnostics } = parseConfig(fs.readFileSync(file, 'utf8'), file);
  // Secrets that hold nothing usable are refused before they come here.
  const errors = diagnostics.filter(({ severity, code }) => severity === 'error' && code !== 'SEINE-SECRET');
  expect(errors.map(formatDiagnostic)).toEqual([]);
  // As an API server that gives no uids: objects are then not told apart by them.
  return objects.map((object) => ({ ...object, metadata: { ...object.metadata, uid: '' } }));
}

function translate(name: string) {
  const objects = read(name);
  return {
    objects,
    translation: translateGatewayApi(
      worldAround(objects, { key: shopKey, certificate: shopCertificate, authority: caCertificate }),
      {
        clusterDomain,
        ambient: true,
        now: 'fake',
        endpoints: endpointsAround(),
      },
    ),
  };
}

/** Values that mean the same as none: what protobuf does not write. */
function isDefault(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === '' || value === 0 || value === false || value === null || value === undefined;
}

/** The name that a certificate must have where nothing else is said, which Istio leaves to the proxy. */
function isImplied(key: string, item: unknown, { sni }: { readonly sni?: unknown }): boolean {
  return key === 'subjectAltNames' && Array.isArray(item) && item.length === 1 && item[0] === sni;
}

function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key, item]) => !isDefault(item) && !isImplied(key, item, value))
    .filter(([key, item]) => !(key === 'mode' && item === 'PASSTHROUGH'))
    .map(([key, item]) => [key, normal(item)] as const);
  return Object.fromEntries(entries);
}

function byIdentity(docs: readonly Doc[], part: (doc: Doc) => unknown): Record<string, unknown> {
  return Object.fromEntries(
    docs.map((doc) => [`${doc.kind}/${doc.metadata.namespace ?? ''}/${doc.metadata.name}`, part(doc)]),
  );
}

/** Times are those of the run. */
function withoutTimes(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, item: unknown) => (key === 'lastTransitionTime' ? undefined : item));
}

describe('the corpus of Gateway API cases', () => {
  it('is there: SEINE_CASES names the folder, default ../shared/cases', () => {
    expect(inputs.length).toBe(36);
  });

  it('has no row that is listed as unmatched but is not there', () => {
    expect(Object.keys(unmatched).filter((file) => !fs.existsSync(path.join(folder, file)))).toEqual([]);
  });

  /** Inputs of which the corpus has such a golden that we match; the others are in `unmatched`, or have none. */
  const judged = (suffix: string) =>
    inputs.filter((name) => !(`${name}${suffix}` in unmatched) && fs.existsSync(path.join(folder, `${name}${suffix}`)));

  it.each(judged('.yaml.golden'))('%s means what it should', (name) => {
    const { translation } = translate(name);
    const kinds = ['Gateway', 'VirtualService', 'DestinationRule'];
    const derived = translation.objects.filter(({ kind }) => kinds.includes(kind)) as readonly Doc[];
    const part = ({ metadata, spec }: Doc): unknown =>
      normal({ annotations: (metadata as ConfigObject['metadata']).annotations, spec });
    expect(byIdentity(derived, part)).toEqual(byIdentity(documents(`${name}.yaml.golden`), part));
  });

  it.each(judged('.status.yaml.golden'))('%s is told what came of it', (name) => {
    const { objects, translation } = translate(name);
    const told = objects.flatMap((object) => {
      const status = translation.statuses.get(objectKey(object));
      return status && groupOf(object.apiVersion).startsWith('gateway.') ? [{ ...object, status }] : [];
    });
    const part = ({ status }: Doc): unknown => withoutTimes(status);
    expect(byIdentity(told, part)).toEqual(byIdentity(documents(`${name}.status.yaml.golden`), part));
  });
});
