import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { documents, rawGet, rawRequest, type Svid, TestMesh, tlsRequest } from '../../src/index.js';
import { meshConfigYaml, policyYaml } from './policy-yaml.js';

jest.setTimeout(300_000);
const apps = ['web', 'bytes'] as const;
type App = (typeof apps)[number];
let mesh: TestMesh;
let callers: Readonly<Record<'a' | 'b' | 'old', Svid>>;
beforeAll(async () => {
  mesh = await TestMesh.start({
    identity: { trustDomainAliases: ['old-td'] },
    workloads: apps.map((app) => ({ name: `${app}-v1`, sidecar: true })),
    services: [{ name: 'bytes', ports: [{ name: 'tcp', port: 9000, targetPort: 8080 }] }],
    // Without it who comes under the old name of the trust domain would not get past the handshake.
    config: { 'mesh-config': meshConfigYaml({ trustDomainAliases: ['old-td'] }) },
  });
  callers = {
    a: await mesh.svid('a'),
    b: await mesh.svid('b', { namespace: 'prod' }),
    old: await mesh.svid('a', { trustDomain: 'old-td' }),
  };
});
afterAll(() => mesh.stop());

type Caller = keyof typeof callers | 'plain';

/** Whether a caller gets through: refused is 403 where HTTP is spoken, and a connection that ends elsewhere. */
async function passes(app: App, caller: Caller): Promise<boolean> {
  const address = mesh.workloads.get(`${app}-v1`)?.address ?? '';
  const { status } =
    caller === 'plain'
      ? await rawRequest(address, 8080, rawGet('/'))
      : await tlsRequest(address, 8080, { servername: 'a', client: callers[caller], alpn: ['istio'] });
  const refused = app === 'web' ? 403 : 0;
  expect([200, refused]).toContain(status ?? 0);
  return status === 200;
}

const everyone: readonly Caller[] = ['a', 'b', 'old', 'plain'];
async function whoPasses(app: App): Promise<readonly Caller[]> {
  const found = await Promise.all(everyone.map(async (caller) => [caller, await passes(app, caller)] as const));
  return found.filter(([, passed]) => passed).map(([caller]) => caller);
}
const butFor = (callersOf: readonly Caller[]) => everyone.filter((caller) => !callersOf.includes(caller));

const inForce = (action: string, rule: object) =>
  mesh.apply(
    'policies',
    documents(...apps.map((app) => policyYaml(app, { selector: { matchLabels: { app } }, action, rules: [rule] }))),
  );
const from = (source: object) => ({ from: [{ source }] });

/** Of whom each holds. An alias means the mesh's own trust domain too, and the other way round. */
const rows: readonly (readonly [string, object, readonly Caller[]])[] = [
  ['an identity', from({ principals: ['cluster.local/ns/default/sa/a'] }), ['a', 'old']],
  ['an identity under an old name', from({ principals: ['old-td/ns/default/sa/a'] }), ['a', 'old']],
  ['an identity of another trust domain', from({ principals: ['elsewhere/ns/default/sa/a'] }), []],
  ['the end of an identity', from({ principals: ['*/ns/default/sa/a'] }), ['a', 'old']],
  ['the end of an account', from({ principals: ['*/sa/b'] }), ['b']],
  ['the beginning', from({ principals: ['cluster.local/ns/prod/*'] }), ['b']],
  ['anybody with an identity', from({ principals: ['*'] }), ['a', 'b', 'old']],
  ['other identities', from({ notPrincipals: ['*/ns/default/sa/a'] }), ['b', 'plain']],
  ['a star in the middle, which is a star', from({ principals: ['*/ns/default/*'] }), []],
  ['nobody', from({ notPrincipals: ['*'] }), ['plain']],
  ['a namespace', from({ namespaces: ['prod'] }), ['b']],
  ['other namespaces', from({ notNamespaces: ['prod'] }), ['a', 'old', 'plain']],
  ['an account of the same namespace', from({ serviceAccounts: ['a'] }), ['a', 'old']],
  ['an account of another', from({ serviceAccounts: ['prod/b'] }), ['b']],
  ['other accounts', from({ notServiceAccounts: ['prod/b'] }), ['a', 'old', 'plain']],
  ['a trust domain', from({ trustDomains: ['old-td'] }), ['old']],
  ['a condition on the identity', { when: [{ key: 'source.principal', values: ['*/sa/a'] }] }, ['a', 'old']],
  ['a condition on the namespace', { when: [{ key: 'source.namespace', notValues: ['default'] }] }, ['b', 'plain']],
];

describe.each(rows)('A-11, A-12: %s', (_name, rule, holdsFor) => {
  it('for HTTP and TCP alike, in ALLOW and in DENY', async () => {
    await inForce('ALLOW', rule);
    for (const app of apps)
      expect([app, await whoPasses(app)]).toEqual([app, everyone.filter((one) => holdsFor.includes(one))]);
    await inForce('DENY', rule);
    for (const app of apps) expect([app, await whoPasses(app)]).toEqual([app, butFor(holdsFor)]);
  });
});

it('A-21: where no HTTP is spoken, ALLOW leaves out what rests on it, and DENY goes without it', async () => {
  const byMethod = { to: [{ operation: { methods: ['PUT'] } }], ...from({ namespaces: ['prod'] }) };
  await inForce('ALLOW', byMethod);
  expect(await whoPasses('bytes')).toEqual([]);
  await inForce('DENY', byMethod);
  expect(await whoPasses('bytes')).toEqual(['a', 'old', 'plain']);
  expect(await whoPasses('web')).toEqual(everyone);
});

interface Told {
  readonly code: string;
  readonly object?: { readonly name: string };
  readonly path?: string;
}

it('A-12, A-21, A-26: pilot says what of a policy is not as it may seem', async () => {
  await mesh.apply(
    'policies',
    documents(
      policyYaml('identities', { selector: { matchLabels: { app: 'web' } }, rules: [from({ namespaces: ['prod'] })] }),
      policyYaml('methods', {
        selector: { matchLabels: { app: 'bytes' } },
        rules: [{ to: [{ operation: { methods: ['GET'] } }] }],
      }),
      policyYaml('typo', { selector: { matchLabels: { ap: 'web' } } }),
    ),
  );
  const codes = async () =>
    (JSON.parse(await mesh.pilot.admin('/debug/diagnostics')) as { readonly diagnostics: readonly Told[] }).diagnostics
      .filter(({ code }) => code.startsWith('SEINE-AUTHZ'))
      .map(({ code, object, path }) => [code, object?.name, path])
      .sort();
  const lasting = [
    ['SEINE-AUTHZ-TARGET', 'typo', 'spec.selector.matchLabels'],
    ['SEINE-AUTHZ-TCP', 'methods', 'spec.rules[0]'],
  ];
  expect(await codes()).toEqual([
    ['SEINE-AUTHZ-MTLS', 'identities', 'spec.rules[0].from[0].source.namespaces'],
    ...lasting,
  ]);
  const strict = policyYaml('strict', { selector: { matchLabels: { app: 'web' } }, mtls: { mode: 'STRICT' } });
  await mesh.apply('peer-authentication', strict.replace('AuthorizationPolicy', 'PeerAuthentication'));
  expect(await codes()).toEqual(lasting);
});

it('was refused by no Envoy', async () => {
  for (const envoy of mesh.envoys) expect(await envoy.rejections()).toEqual({ count: 0, messages: [] });
});
