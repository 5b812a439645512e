import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type ConfigObject, fieldsOf } from '@seine/k8s';
import { parseConfig } from '@seine/source-file';
import { options, service } from './testing/objects.js';
import { translateLegacySecurity } from './translate.js';

const cases = path.resolve(process.env['SEINE_CASES'] ?? path.join(import.meta.dirname, '../../../../shared/cases'));
const folder = path.join(cases, 'legacy/rbac-converter');

function read(file: string): readonly ConfigObject[] {
  return parseConfig(fs.readFileSync(path.join(folder, file), 'utf8'), file).objects;
}

function inDefault(kind: string, name: string, spec: object): ConfigObject {
  return { apiVersion: 'rbac.istio.io/v1alpha1', kind, metadata: { name, namespace: 'default' }, spec };
}

const binding = (...subjects: readonly object[]): ConfigObject =>
  inDefault('ServiceRoleBinding', 'bind', { subjects, roleRef: { kind: 'ServiceRole', name: 'service-viewer' } });
const fromSystem = { properties: { 'source.namespace': 'istio-system' } };
const coldplay = { user: 'Coldplay', properties: { 'source.namespace': 'default' } };
const rules = (...list: readonly object[]): ConfigObject => inDefault('ServiceRole', 'service-viewer', { rules: list });
const everything = { services: ['*'], methods: ['GET'] };
const twoRules = rules(everything, { services: ['productpage', 'reviews'], methods: ['POST'] });

/** Services of the namespace `default`, each selecting `app: NAME` (and a version). */
const shop = (...names: readonly string[]): readonly ConfigObject[] =>
  names.map((name) => service(name, ['http:80'], { namespace: 'default' }));
const versioned = ['a', 'b', 'c'].map((version) => {
  const object = service(`svc-${version}-xyz`, ['http:80'], { namespace: 'default' });
  return { ...object, spec: { ...fieldsOf(object.spec), selector: { app: `svc-${version}-xyz`, version } } };
});

/**
 * What stands beside the input of a case of Istio's converter: Services, bindings and settings, which its test has in files of
 * their own. `withoutDenyAll`: the case has no settings; the policies that ours add to its result are left out.
 */
interface Case {
  readonly input?: string;
  readonly beside: readonly ConfigObject[];
  readonly withoutDenyAll?: true;
}

const included = read('cluster-rbac-config-on-with-inclusion.yaml');
const table: Readonly<Record<string, Case>> = {
  'cluster-rbac-config-on-with-exclusion': { input: 'cluster-rbac-config-on-with-exclusion.yaml', beside: [] },
  'cluster-rbac-config-on-with-inclusion': { input: 'cluster-rbac-config-on-with-inclusion.yaml', beside: [] },
  'rbac-global-on': { input: 'rbac-global-on.yaml', beside: [] },
  'one-rule-two-services-prefix-suffix': {
    input: 'one-rule-two-services-prefix-suffix.yaml',
    beside: [...read('rbac-global-on.yaml'), ...versioned, binding(fromSystem)],
  },
  'multiple-access-rules-one-subject': {
    beside: [...included, ...shop('productpage', 'reviews'), twoRules, binding(fromSystem)],
    withoutDenyAll: true,
  },
  'multiple-access-rules-two-subjects': {
    beside: [...included, ...shop('productpage', 'reviews'), twoRules, binding(fromSystem, coldplay)],
    withoutDenyAll: true,
  },
  'one-rule-all-services-with-inclusion': {
    beside: [...included, rules(everything), binding(fromSystem, coldplay)],
  },
};

describe('Istio’s converter of ServiceRoles', () => {
  it('has no case that is not here', () => {
    const goldens = fs.readdirSync(folder).filter((file) => file.endsWith('.golden.yaml'));
    expect(goldens.map((file) => file.replace('.golden.yaml', '')).sort()).toEqual(Object.keys(table).sort());
  });

  it.each(Object.entries(table))('%s', (name, { input, beside, withoutDenyAll }) => {
    const objects = [...(input === undefined ? [] : read(input)), ...beside];
    const { objects: derived, diagnostics } = translateLegacySecurity(objects, {
      ...options,
      rootNamespace: 'my-root-namespace',
    });
    const plain = ({ metadata, spec }: ConfigObject) => ({ name: metadata.name, namespace: metadata.namespace, spec });
    const result = derived.filter(({ metadata }) => !withoutDenyAll || !metadata.name.endsWith('deny-all')).map(plain);
    // The converter wrote roles of the default namespace in the order of their rules, and so do we.
    expect(result).toEqual(read(`${name}.golden.yaml`).map(plain));
    expect(diagnostics).toEqual([]);
  });
});
