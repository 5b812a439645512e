import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { run } from '../program.js';
import { compiledDump } from '../testing/compiled-dump.js';
import { FakeHttp } from '../testing/fake-http.js';
import { FakeIo } from '../testing/fake-io.js';
import { FakeState, runWorkload } from '../testing/fake-state.js';

// The compiler is loaded when it is first asked.
jest.setTimeout(60_000);

const service = `
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: default }
spec:
  selector: { app: reviews }
  ports: [{ name: http, port: 9080 }, { name: tcp, port: 9000 }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: reviews-v1, namespace: default }
spec:
  selector: { matchLabels: { app: reviews } }
  template:
    metadata: { labels: { app: reviews } }
    spec:
      containers: [{ name: reviews, ports: [{ containerPort: 9080 }, { containerPort: 9000 }] }]
`;

let io: FakeIo;
let state: FakeState;
let http: FakeHttp | undefined;
/** Whether the Envoy has its policies as resources of their own. */
let hasFilterChain = false;

beforeEach(async () => {
  hasFilterChain = false;
  io = new FakeIo();
  state = await FakeState.create({});
  io.env['SEINE_STATE'] = state.dir;
});
afterEach(async () => {
  await http?.stop();
  await state.remove();
});

interface Shown {
  readonly policies: readonly object[];
  readonly decisions: readonly {
    readonly port: number;
    readonly match: string;
    readonly result: string;
    readonly why: string;
    readonly notes: readonly string[];
  }[];
}

/** Runs the command on the Envoy of `reviews`, which has these AuthorizationPolicies. */
async function check(policies: Readonly<Record<string, object>>, ...args: readonly string[]): Promise<string> {
  const yaml = Object.entries(policies).map(
    ([name, { annotations, ...spec }]: readonly [string, { readonly annotations?: object }]) =>
      JSON.stringify({
        apiVersion: 'security.istio.io/v1',
        kind: 'AuthorizationPolicy',
        metadata: { name, namespace: 'default', annotations },
        spec,
      }),
  );
  const dump = await compiledDump([service, ...yaml].join('\n---\n'), 'reviews-v1', {
    interceptionMode: 'NONE',
    ipAddresses: ['10.0.0.9'],
    workloadCertificates: true,
    hasFilterChain,
  });
  http = new FakeHttp({ '/config_dump?include_eds': JSON.stringify(dump), '/clusters?format=json': '{}' });
  await state.write({ workloads: [runWorkload({ name: 'reviews-v1', adminPort: await http.start() })] });
  expect(await run(['authz', 'check', 'reviews-v1', ...args], io)).toBe(0);
  return io.stdout;
}

async function decided(policies: Readonly<Record<string, object>>, ...args: readonly string[]) {
  const { decisions } = JSON.parse(await check(policies, ...args, '--port', '9080', '-o', 'json')) as Shown;
  return decisions[0];
}

const to = (operation: object, more: object = {}) => ({ rules: [{ to: [{ operation }], ...more }] });
const from = (source: object) => ({ rules: [{ from: [{ source }] }] });
const web = 'cluster.local/ns/default/sa/web';

describe('authz check', () => {
  it('lists the policies in the order in which they decide', async () => {
    const table = await check({
      readers: { ...to({ methods: ['GET'] }) },
      tried: { ...to({ methods: ['PUT'] }), annotations: { 'istio.io/dry-run': 'true' } },
      'no-admin': { action: 'DENY', ...to({ paths: ['/admin*'] }) },
    });
    expect(table.replaceAll(/ +\n/g, '\n')).toBe(
      [
        'ACTION   AUTHORIZATIONPOLICY   RULES   MODE       FOR',
        'DENY     no-admin.default      1       ENFORCED   HTTP, TCP',
        // What looks at requests allows nothing where there are only connections.
        'ALLOW    no rule               0       ENFORCED   TCP',
        'ALLOW    readers.default       1       ENFORCED   HTTP',
        'ALLOW    no rule               0       DRY RUN    TCP',
        'ALLOW    tried.default         1       DRY RUN    HTTP',
        '',
      ].join('\n'),
    );
  });

  it('says so where there is none', async () => {
    expect(await check({})).toBe('');
    expect(io.stderr).toBe('no AuthorizationPolicy is in force on reviews-v1: all is allowed\n');
  });

  it.each<
    readonly [
      what: string,
      policies: Readonly<Record<string, object>>,
      args: readonly string[],
      result: string,
      why: RegExp,
    ]
  >([
    [
      'no ALLOW policy',
      { no: { action: 'DENY', ...to({ paths: ['/admin'] }) } },
      ['--path', '/'],
      'ALLOWED',
      /^no policy with action ALLOW/,
    ],
    [
      'a DENY rule',
      { no: { action: 'DENY', ...to({ paths: ['/admin*'] }) } },
      ['--path', '/admin/x?y'],
      'DENIED',
      /^rule 0 of AuthorizationPolicy no\.default \(DENY\)/,
    ],
    ['nothing allowed', { nobody: {} }, ['--method', 'get'], 'DENIED', /they have no rules|none of their rules holds/],
    ['a method', { yes: to({ methods: ['GET'] }) }, ['--method', 'POST'], 'DENIED', /none of their rules holds/],
    [
      'another method',
      { yes: to({ methods: ['GET'] }) },
      ['--method', 'get'],
      'ALLOWED',
      /^rule 0 of AuthorizationPolicy yes\.default/,
    ],
    ['an identity', { yes: from({ principals: [web] }) }, ['--from', web], 'ALLOWED', /rule 0/],
    ['another identity', { yes: from({ principals: [web] }) }, ['--from', `${web}2`], 'DENIED', /none/],
    ['no identity', { yes: from({ principals: ['*'] }) }, ['--from', 'none'], 'DENIED', /none/],
    ['a namespace', { yes: from({ namespaces: ['default'] }) }, ['--from', web], 'ALLOWED', /rule 0/],
    [
      'not a namespace',
      { no: { action: 'DENY', ...from({ notNamespaces: ['default'] }) } },
      ['--from', web],
      'ALLOWED',
      /no policy/,
    ],
    ['an address', { yes: from({ ipBlocks: ['10.0.0.0/8'] }) }, ['--ip', '10.1.2.3'], 'ALLOWED', /rule 0/],
    ['another address', { yes: from({ ipBlocks: ['10.0.0.0/8'] }) }, ['--ip', '::1'], 'DENIED', /none/],
    ['an address that is not said', { yes: from({ ipBlocks: ['10.0.0.0/8'] }) }, ['--path', '/'], 'UNKNOWN', /--ip/],
    ['a host', { yes: to({ hosts: ['*.example.com'] }) }, ['--header', 'Host=a.example.com:80'], 'ALLOWED', /rule 0/],
    ['a host that is not said', { yes: to({ hosts: ['a'] }) }, ['--path', '/'], 'UNKNOWN', /--header host=/],
    ['a template', { yes: to({ paths: ['/a/{*}/c/{**}'] }) }, ['--path', '/a/b/c/d/e'], 'ALLOWED', /rule 0/],
    ['another template', { yes: to({ paths: ['/a/{*}/c'] }) }, ['--path', '/a/b/b/c'], 'DENIED', /none/],
    ['a port', { yes: to({ ports: ['9080'] }) }, ['--path', '/'], 'ALLOWED', /rule 0/],
    [
      'a header',
      { yes: { rules: [{ when: [{ key: 'request.headers[x-team]', values: ['a*'] }] }] } },
      ['--header', 'X-Team=abc'],
      'ALLOWED',
      /rule 0/,
    ],
    [
      'a header that is not there',
      { yes: { rules: [{ when: [{ key: 'request.headers[x-team]', values: ['a'] }] }] } },
      ['--path', '/'],
      'DENIED',
      /none/,
    ],
    [
      'no token',
      { no: { action: 'DENY', ...from({ notRequestPrincipals: ['*'] }) } },
      ['--path', '/'],
      'DENIED',
      /rule 0/,
    ],
    [
      'a token',
      { yes: from({ requestPrincipals: ['me/you'] }) },
      ['--claim', 'iss=me', '--claim', 'sub=you'],
      'ALLOWED',
      /rule 0/,
    ],
    [
      'a claim in a list',
      { yes: { rules: [{ when: [{ key: 'request.auth.claims[groups]', values: ['b'] }] }] } },
      ['--claim', 'groups=["a","b"]'],
      'ALLOWED',
      /rule 0/,
    ],
    [
      'a claim of words',
      { yes: { rules: [{ when: [{ key: 'request.auth.claims[scope]', values: ['write'] }] }] } },
      ['--claim', 'scope=read write'],
      'ALLOWED',
      /rule 0/,
    ],
  ])('decides by %s', async (_what, policies, args, result, why) => {
    expect(await decided(policies, ...args)).toMatchObject({ port: 9080, result, why: expect.stringMatching(why) });
  });

  it('finds policies that are resources of their own', async () => {
    hasFilterChain = true;
    expect(await decided({ yes: to({ methods: ['GET'] }) }, '--method', 'POST')).toMatchObject({ result: 'DENIED' });
    expect(io.stdout).toContain('yes.default');
  });

  it('tells what a dry run would have done', async () => {
    const policies = { no: { action: 'DENY', rules: [{}], annotations: { 'istio.io/dry-run': 'true' } } };
    expect(await decided(policies, '--path', '/')).toMatchObject({
      result: 'ALLOWED',
      notes: ['dry run: DENIED: rule 0 of AuthorizationPolicy no.default (DENY) holds'],
    });
  });

  it('takes the chain by which such a caller comes in', async () => {
    const matches = async (...args: string[]) => (await decided({ yes: from({ principals: [web] }) }, ...args))?.match;
    expect(await matches('--from', web)).toContain('Trans: tls');
    await http?.stop();
    io.stdout = '';
    expect(await matches('--from', 'none')).toContain('Trans: raw_buffer');
  });

  it.each([
    ['--header', 'nothing'],
    ['--ip', 'nowhere'],
    ['--port', '0'],
  ])('refuses %s %s', async (flag, value) => {
    await state.write({ workloads: [runWorkload({ name: 'reviews-v1', adminPort: 1 })] });
    expect(await run(['authz', 'check', 'reviews-v1', flag, value], io)).not.toBe(0);
  });
});
