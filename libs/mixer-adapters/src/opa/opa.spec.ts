import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { InstanceTypes, Templates, Value } from '@seine/mixer';
import { makeAdapter, problemsOf, TestContext, testRim } from '../testing/adapter.fixture.js';
import { HttpServer } from '../testing/http-server.fixture.js';
import { opa } from './opa.js';

const name = 'authinfo.authorization.istio-system';
const types: InstanceTypes = {
  template: 'authorization',
  maps: {
    'subject.properties': new Map(),
    'action.properties': new Map([
      ['version', 'STRING'],
      ['size', 'INT64'],
    ]),
  },
};
const instance: Templates['authorization'] = {
  instance: name,
  subject: { user: 'bucket-admins', groups: 'a,b', properties: new Map() },
  action: {
    namespace: 'default',
    service: 'storage',
    method: 'storage.buckets.get',
    path: '',
    properties: new Map<string, Value>([
      ['version', 'v1'],
      ['size', 7],
    ]),
  },
};
const checkMethod = 'data.mixerauthz.allow';

/** A double that answers as a test says; the real OPA is asked in e2e/suites/mixer/opa.spec.ts. */
describe('opa', () => {
  let server: HttpServer;
  let context: TestContext;
  beforeEach(async () => {
    server = await HttpServer.listen();
    context = new TestContext({ instances: { [name]: types } });
  });
  afterEach(() => server.close());

  const kind = opa(testRim());
  const made = (more: object = {}) => makeAdapter(kind, { url: server.url, checkMethod, ...more }, context);
  const result = (value: unknown) => () => ({ body: JSON.stringify({ result: value }) });

  it('asks OPA with the subject and the action', async () => {
    server.answer = result(true);
    const adapter = await made({ headers: { authorization: 'Bearer x' }, cachingInterval: '5s' });
    expect(await adapter.authorization!(instance)).toEqual({ code: 0, validMs: 5000 });
    expect(server.requests).toMatchObject([
      { method: 'POST', path: '/v1/data/mixerauthz/allow', headers: { authorization: 'Bearer x' } },
    ]);
    expect(server.json()).toEqual([
      {
        input: {
          subject: { user: 'bucket-admins', groups: ['a,b'] },
          action: {
            namespace: 'default',
            service: 'storage',
            method: 'storage.buckets.get',
            properties: { version: 'v1', size: 7 },
          },
        },
      },
    ]);
  });

  it.each([
    [false, { code: 7, message: 'opa: request was rejected', validMs: 0 }],
    [
      { allow: false, message: 'not on Sundays' },
      { code: 7, message: 'not on Sundays', validMs: 0 },
    ],
    [{ allow: true }, { code: 0, validMs: 0 }],
  ])('takes %j for a decision', async (value, expected) => {
    server.answer = result(value);
    const adapter = await made();
    expect(await adapter.authorization!(instance)).toEqual(expected);
  });

  describe.each([
    ['no decision', () => ({ body: '{}' })],
    ['nonsense', () => ({ body: '<html>' })],
    ['a decision that is none', result('yes')],
    ['an error', () => ({ status: 500, body: '{"code":"internal_error","message":"broken"}' })],
    ['nothing at all', () => ({ never: true })],
  ])('when OPA gives %s', (_, answer) => {
    beforeEach(() => {
      server.answer = answer;
    });

    it('failClose says what follows', async () => {
      const closed = await made({ failClose: true, timeout: '200ms' });
      expect(await closed.authorization!(instance)).toEqual({ code: 7, message: 'opa: request was rejected' });
      const open = await made({ fail_close: false, timeout: '200ms' });
      expect(await open.authorization!(instance)).toEqual({ code: 0 });
      expect(context.warnings).toHaveLength(2);
    });

    it('the rule says what follows where failClose does not', async () => {
      const adapter = await made({ timeout: '200ms' });
      await expect(adapter.authorization!(instance)).rejects.toThrow();
    });
  });

  it('gives OPA its policies, again after a restart, and takes them away with the last handler', async () => {
    const policy = ['package mixerauthz\ndefault allow = false'];
    const before = await made({ policy });
    expect(server.requests).toMatchObject([
      { method: 'PUT', path: '/v1/policies/seine/h.istio-system/0', body: policy[0] },
    ]);
    await context.pass(30_000);
    expect(server.requests).toHaveLength(2);
    const after = await made({ policy });
    await before.close?.();
    expect(server.requests.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'PUT']);
    await after.close?.();
    expect(server.requests.at(-1)).toMatchObject({ method: 'DELETE', path: '/v1/policies/seine/h.istio-system/0' });
  });

  it('a policy that OPA does not take is an error with the place', async () => {
    const errors = [{ message: 'unexpected token', location: { row: 3 } }];
    server.answer = () => ({ status: 400, body: JSON.stringify({ message: 'error(s) occurred', errors }) });
    await expect(made({ policy: ['package'] })).rejects.toThrow(
      'OPA answers 400 error(s) occurred; line 3: unexpected token',
    );
  });

  it.each([
    ['Rego without an OPA', { policy: ['package a'], checkMethod }, 'policy', 'opa run --server'],
    ['no OPA', { checkMethod }, 'url', 'http://opa:8181'],
    ['a URL that is none', { url: 'opa:8181', checkMethod }, 'url', 'no URL'],
    ['nothing to ask', { url: 'http://opa:8181' }, 'checkMethod', 'data.mixerauthz.allow'],
    ['a query', { url: 'http://opa:8181', checkMethod: 'data.a[_]' }, 'checkMethod', 'no rule'],
  ])('refuses %s', (_, params, path, message) => {
    expect(problemsOf(kind, params)).toMatchObject([{ path, message: expect.stringContaining(message) }]);
  });
});
