import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { parseAllDocuments } from 'yaml';
import { normalizeObject } from '../validation/normalize-object.js';
import { validateObject } from '../validation/validate-object.js';

const versions: Readonly<Record<string, string>> = {
  Policy: 'authentication.istio.io/v1alpha1',
  MeshPolicy: 'authentication.istio.io/v1alpha1',
};
const clusterScoped = ['MeshPolicy', 'ClusterRbacConfig'];

function object(kind: string, name: string, spec: unknown): ConfigObject {
  const apiVersion = versions[kind] ?? 'rbac.istio.io/v1alpha1';
  const namespace = clusterScoped.includes(kind) ? '' : 'shop';
  return { apiVersion, kind, metadata: { name, namespace }, spec };
}

const jwt = (fields: object): object => ({
  targets: [{ name: 'cart' }],
  origins: [{ jwt: { issuer: 'https://issuer', ...fields } }],
});
const paths = (list: unknown): object => jwt({ triggerRules: [{ includedPaths: list }] });
const binding = (subject: unknown, rest: object = {}): object => ({
  subjects: [subject],
  roleRef: { kind: 'ServiceRole', name: 'viewer' },
  ...rest,
});

describe('what old security kinds must say', () => {
  it.each<readonly [what: string, kind: string, name: string, spec: unknown, ...errors: string[]]>([
    ['a policy of a namespace', 'Policy', 'default', { peers: [{ mtls: null }] }],
    [
      'a policy of a service',
      'Policy',
      'cart',
      { targets: [{ name: 'cart', ports: [{ number: 80 }, { name: 'b' }] }] },
    ],
    ['no target and another name', 'Policy', 'cart', {}, 'spec.targets'],
    ['the default policy with targets', 'Policy', 'default', { targets: [{ name: 'a' }] }, 'spec.targets'],
    ['a target that is no short name', 'Policy', 'p', { targets: [{ name: 'a.b' }] }, 'spec.targets[0].name'],
    ['labels', 'Policy', 'p', { targets: [{ name: 'a', labels: { v: '1' } }] }, 'spec.targets[0].labels'],
    ['a port of no number', 'Policy', 'p', { targets: [{ name: 'a', ports: [{}] }] }, 'spec.targets[0].ports[0]'],
    ['a mesh policy of another name', 'MeshPolicy', 'boo', {}, 'metadata.name'],
    ['a mesh policy with targets', 'MeshPolicy', 'default', { targets: [{ name: 'a' }] }, 'spec.targets'],
    ['tokens of peers', 'Policy', 'default', { peers: [{ jwt: { issuer: 'a' } }] }, 'spec.peers[0].jwt'],
    ['an origin of nothing', 'Policy', 'default', { origins: [{}] }, 'spec.origins[0].jwt'],
    ['no issuer', 'Policy', 'default', { origins: [{ jwt: {} }] }, 'spec.origins[0].jwt.issuer'],
    ['a placeholder', 'Policy', 'p', jwt({ jwksUri: '{YOUR_JWT_URI}' }), 'spec.origins[0].jwt.jwksUri'],
    ['both keys', 'Policy', 'p', jwt({ jwksUri: 'http://a', jwks: '{"keys":[]}' }), 'spec.origins[0].jwt.jwks'],
    ['a path', 'Policy', 'p', paths([{ prefix: '/a' }])],
    ['a path of nothing', 'Policy', 'p', paths([{}]), 'spec.origins[0].jwt.triggerRules[0].includedPaths[0]'],
    ['a regex', 'Policy', 'p', paths([{ regex: '(' }]), 'spec.origins[0].jwt.triggerRules[0].includedPaths[0].regex'],
    ['a misspelt field', 'Policy', 'p', { target: [{ name: 'a' }] }, 'spec.target'],
    ['settings of another name', 'ClusterRbacConfig', 'x', { mode: 'ON' }, 'metadata.name'],
    ['inclusion of nothing', 'ClusterRbacConfig', 'default', { mode: 'ON_WITH_INCLUSION' }, 'spec.inclusion'],
    ['exclusion of nothing', 'RbacConfig', 'default', { mode: 'ON_WITH_EXCLUSION' }, 'spec.exclusion'],
    ['snake case', 'ClusterRbacConfig', 'default', { mode: 'ON', enforcement_mode: 'PERMISSIVE' }],
    ['a role without rules', 'ServiceRole', 'r', { rules: null }, 'spec.rules'],
    ['a rule without services', 'ServiceRole', 'r', { rules: [{ methods: ['GET'] }] }, 'spec.rules[0].services'],
    [
      'a constraint without values',
      'ServiceRole',
      'r',
      { rules: [{ services: ['*'], constraints: [{ key: 'destination.ip' }] }] },
      'spec.rules[0].constraints[0].values',
    ],
    ['a binding', 'ServiceRoleBinding', 'b', binding({ user: '*' })],
    ['a subject of nothing', 'ServiceRoleBinding', 'b', binding({}), 'spec.subjects[0]'],
    ['an address', 'ServiceRoleBinding', 'b', binding({ ips: ['x'] }), 'spec.subjects[0].ips[0]'],
    [
      'no role',
      'ServiceRoleBinding',
      'b',
      binding({ user: '*' }, { roleRef: {} }),
      'spec.roleRef.kind',
      'spec.roleRef.name',
    ],
    [
      'another role',
      'ServiceRoleBinding',
      'b',
      binding({ user: '*' }, { roleRef: { kind: 'Role', name: 'a' } }),
      'spec.roleRef.kind',
    ],
  ])('%s', (_, kind, name, spec, ...errors) => {
    const found = validateObject(object(kind, name, spec)).filter(({ severity }) => severity === 'error');
    expect(found.map(({ path }) => path ?? '')).toEqual(errors);
  });

  it('reads mutual TLS of which nothing is said', () => {
    expect(normalizeObject(object('Policy', 'default', { peers: [{ mtls: null }] })).spec).toEqual({
      peers: [{ mtls: {} }],
    });
  });

  it('names the version for one that was never served', () => {
    const written = { ...object('Policy', 'default', {}), apiVersion: 'authentication.istio.io/v1beta1' };
    expect(validateObject(written).map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'apiVersion: Policy has no version v1beta1; use authentication.istio.io/v1alpha1.',
    ]);
  });
});

const cases = process.env['SEINE_CASES'] ?? resolve(import.meta.dirname, '../../../../../../shared/cases');

describe('YAML of old releases of Istio', () => {
  const rows = readFileSync(join(cases, 'index.tsv'), 'utf8')
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([file = '']) =>
      /^legacy\/(authn|rbac|rbac-converter|platform\/kube\/rbac)\/|^legacy\/dataset\/(auth|rbac)/.test(file),
    )
    .flatMap(([file = '', verdict = '']): (readonly [string, boolean])[] => [[file, !verdict.startsWith('REJECT')]]);

  it('is there', () => expect(rows.length).toBeGreaterThan(25));

  it.each(rows)('%s', (file, accepted) => {
    const text = readFileSync(join(cases, file), 'utf8').replaceAll('{{ .Namespace }}', 'shop');
    const found = parseAllDocuments(text).flatMap((document) => {
      const written = document.toJS() as ConfigObject | null;
      if (!written?.kind) return [];
      const namespace = clusterScoped.includes(written.kind) ? '' : 'default';
      return validateObject({ ...written, metadata: { ...written.metadata, namespace } });
    });
    const errors = found.filter(({ severity }) => severity === 'error');
    expect(errors.length === 0).toBe(accepted);
  });
});
