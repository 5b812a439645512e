import { describe, expect, it } from '@jest/globals';
import { normalizeObject } from '@seine/istio';
import { apiAttribute, apiKeyOf, apisOf } from '../dispatch/api-lookup.js';
import { compilePolicy } from './compile-policy.js';

const object = (kind: string, name: string, spec: object, namespace = 'default') =>
  normalizeObject({ apiVersion: 'config.istio.io/v1alpha2', kind, metadata: { name, namespace }, spec });
const attributes = (values: Readonly<Record<string, object>>) => ({ attributes: values });
const operation = (name: string) => attributes({ 'api.operation': { stringValue: name } });
const bind = (services: readonly object[], name: string) =>
  object('HTTPAPISpecBinding', name, { services, apiSpecs: [{ name }] });
const host = 'pets.default.svc.cluster.local';

describe('HTTPAPISpec', () => {
  it.each([
    ['/pets', 'GET', '/pets', true],
    ['/pets', 'GET', '/pets/', false],
    ['/pets/{id}', 'GET', '/pets/7', true],
    ['/pets/{id}', 'GET', '/pets/', false],
    ['/pets/{id}', 'GET', '/pets/7/toys', false],
    ['/pets/{id}/toys', 'GET', '/pets/7/toys', true],
    ['/pets/{path=**}', 'GET', '/pets/7/toys', true],
    ['/pets/*/toys', 'GET', '/pets/7/toys', true],
    ['/a.b', 'GET', '/a-b', false],
    ['/pets', 'POST', '/pets', false],
  ])('uriTemplate %s: %s %s is it: %s', (uriTemplate, method, urlPath, fits) => {
    const policy = compilePolicy([
      object('HTTPAPISpec', 'pets', { patterns: [{ httpMethod: 'GET', uriTemplate, ...operationOf() }] }),
      bind([{ name: 'pets' }], 'pets'),
    ]);
    expect(policy.problems).toEqual([]);
    const found = apiAttribute(apisOf(policy, host), 'api.operation', { method, urlPath });
    expect(found).toBe(fits ? 'op' : undefined);
  });

  const operationOf = () => ({ attributes: operation('op') });

  it('is of the services that a binding names, and of all for *', () => {
    const policy = compilePolicy([
      object('HTTPAPISpec', 'pets', { attributes: attributes({ 'api.service': { stringValue: 'pets' } }) }),
      object('HTTPAPISpec', 'all', { attributes: attributes({ 'api.version': { stringValue: 'v1' } }) }),
      bind([{ name: 'pets' }], 'pets'),
      bind([{ service: '*' }], 'all'),
    ]);
    const read = (of: string) =>
      ['api.service', 'api.version'].map((name) =>
        apiAttribute(apisOf(policy, of), name, { method: 'GET', urlPath: '/' }),
      );
    expect(read(host)).toEqual(['pets', 'v1']);
    expect(read('shop.default.svc.cluster.local')).toEqual([undefined, 'v1']);
  });

  it('gives values of the types that attributes have', () => {
    const manifest = { attributes: { 'api.level': { valueType: 'INT64' }, 'api.since': { valueType: 'DURATION' } } };
    const spec = { attributes: attributes({ 'api.level': { int64Value: 3 }, 'api.since': { durationValue: '2s' } }) };
    const policy = compilePolicy([
      object('attributemanifest', 'api', manifest, 'istio-system'),
      object('HTTPAPISpec', 'pets', spec),
      bind([{ name: 'pets' }], 'pets'),
    ]);
    expect(policy.problems).toEqual([]);
    expect([...(apisOf(policy, host)[0]?.attributes ?? [])]).toEqual([
      ['api.level', 3],
      ['api.since', 2000],
    ]);
  });

  it('says what is wrong, and goes on with the rest', () => {
    const policy = compilePolicy([
      object('HTTPAPISpec', 'pets', {
        attributes: attributes({ 'api.nothing': { stringValue: '' }, 'api.service': { int64Value: 1 } }),
        patterns: [
          { regex: '(a+)+', ...operationOf() },
          { regex: '/pets', ...operationOf() },
        ],
      }),
      object('HTTPAPISpecBinding', 'pets', {
        services: [{ name: 'pets' }],
        apiSpecs: [{ name: 'pets' }, { name: 'x' }],
      }),
    ]);
    expect(policy.problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'spec.patterns[0].regex: a repeated group must not repeat inside: some texts would take for ever',
      'spec.attributes.attributes["api.nothing"]: there is no attribute api.nothing',
      'spec.attributes.attributes["api.service"]: is no STRING',
      'spec.apiSpecs[1]: there is no HTTPAPISpec default/x',
    ]);
    expect(apiAttribute(apisOf(policy, host), 'api.operation', { method: 'GET', urlPath: '/pets' })).toBe('op');
  });

  it.each([
    [{ query: 'k' }, 'q'],
    [{ header: 'X-K' }, 'h'],
    [{ cookie: 'k' }, 'c'],
  ])('finds the key of the caller by %j', (key, found) => {
    const policy = compilePolicy([object('HTTPAPISpec', 'pets', { apiKeys: [key] }), bind([{ name: 'pets' }], 'pets')]);
    const headers = new Map([
      ['x-k', 'h'],
      ['cookie', 'kk=no; k=c'],
    ]);
    expect(apiKeyOf(apisOf(policy, host), { query: new Map([['k', 'q']]), headers })).toBe(found);
    expect(apiKeyOf(apisOf(policy, host), { query: new Map(), headers: new Map() })).toBeUndefined();
  });
});
