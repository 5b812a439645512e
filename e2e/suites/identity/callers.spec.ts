import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TokenIssuer } from '@seine/jwks-fetch/testing';
import {
  documents,
  istioYaml,
  rawGet,
  rawRequest,
  SpiffeAuthority,
  type Svid,
  TestMesh,
  tlsRequest,
} from '../../src/index.js';

jest.setTimeout(180_000);

const hour = 3_600_000;
const issuer = new TokenIssuer();
const expired = () => issuer.token({ exp: Math.floor(Date.now() / 1000) - 600 });
const elsewhere = () => issuer.token({ aud: 'bank' });
/** Another token's signature under this one's claims. */
const forged = () => [...issuer.token().split('.').slice(0, 2), issuer.token({ sub: 'x' }).split('.')[2]].join('.');

let mesh: TestMesh;
let address: string;
/** Certificates by who shows them. */
const svids = new Map<string, Svid>();
beforeAll(async () => {
  await issuer.listen();
  mesh = await TestMesh.start({ identity: true, workloads: [{ name: 'reviews-v1', sidecar: true }] });
  ({ address } = mesh.workloads.get('reviews-v1')!);
  const stranger = await SpiffeAuthority.make();
  svids.set('right', await mesh.svid('client'));
  svids.set('another', await mesh.svid('another'));
  svids.set('namesake', await mesh.svid('client', { namespace: 'elsewhere' }));
  svids.set('expired', await mesh.svid('client', { now: Date.now() - hour, lifetimeMs: hour / 2 }));
  svids.set('other domain', await mesh.svid('client', { trustDomain: 'other.example' }));
  svids.set('other root', await stranger.issue({ serviceAccount: 'client' }));
});
afterAll(async () => {
  await issuer.close();
  await mesh.stop();
});
beforeEach(() => mesh.resetUpstreams());

type Outcome = 200 | 401 | 403 | 'cut';

const bearer = (token: string | undefined): Readonly<Record<string, string>> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

/** @param token of the end user */
async function inPlainText(token?: string): Promise<Outcome> {
  const { status } = await rawRequest(address, 8080, rawGet('/', bearer(token)));
  return (status || 'cut') as Outcome;
}

/** @param shows whose certificate; undefined = none */
async function overTls(shows: string | undefined, token?: string): Promise<Outcome> {
  const client = shows === undefined ? undefined : svids.get(shows);
  const options = { servername: 'reviews', client, alpn: ['istio-http/1.1', 'istio'], headers: bearer(token) };
  return ((await tlsRequest(address, 8080, options)).status ?? 'cut') as Outcome;
}

const reviews = { selector: { matchLabels: { app: 'reviews' } } };
const security = (kind: string, name: string, spec: object) =>
  istioYaml(kind, name, spec).replace('networking.istio.io/v1', 'security.istio.io/v1');
const mutualTls = (mode: string) => security('PeerAuthentication', 'default', { mtls: { mode } });
const authorization = (action: string, rule: object) =>
  security('AuthorizationPolicy', 'callers', { ...reviews, action, rules: [rule] });
const from = (source: object) => ({ from: [{ source }] });
const right = { principals: ['cluster.local/ns/default/sa/client'] };
const tokens = () => {
  const rule = { issuer: issuer.issuer, jwks: issuer.jwks, audiences: ['shop'] };
  return security('RequestAuthentication', 'tokens', { ...reviews, jwtRules: [rule] });
};

/** What is said of the workload, in the order of the columns below. */
const policies: readonly (readonly [title: string, yaml: () => readonly string[]])[] = [
  ['nothing', () => []],
  ['STRICT', () => [mutualTls('STRICT')]],
  ['STRICT, and the right identity is allowed', () => [mutualTls('STRICT'), authorization('ALLOW', from(right))]],
  ['STRICT, and the right identity is denied', () => [mutualTls('STRICT'), authorization('DENY', from(right))]],
  ['PERMISSIVE, and the right identity is allowed', () => [authorization('ALLOW', from(right))]],
  [
    'STRICT, and its namespace is allowed',
    () => [mutualTls('STRICT'), authorization('ALLOW', from({ namespaces: ['default'] }))],
  ],
  ['STRICT, and tokens of one issuer', () => [mutualTls('STRICT'), tokens()]],
  [
    'STRICT, and the right identity with a token of that issuer is allowed',
    () => [
      mutualTls('STRICT'),
      tokens(),
      authorization('ALLOW', from({ ...right, requestPrincipals: [`${issuer.issuer}/*`] })),
    ],
  ],
];

const cut = 'cut' as const;
const nobody = Array<Outcome>(policies.length).fill(cut);

const callers: readonly (readonly [title: string, call: () => Promise<Outcome>, outcomes: readonly Outcome[]])[] = [
  ['plain text', () => inPlainText(), [200, cut, cut, cut, 403, cut, cut, cut]],
  ['plain text with a good token', () => inPlainText(issuer.token()), [200, cut, cut, cut, 403, cut, cut, cut]],
  ['no certificate', () => overTls(undefined), nobody],
  ['an expired certificate', () => overTls('expired'), nobody],
  ['a certificate of another root', () => overTls('other root'), nobody],
  ['a certificate of another trust domain', () => overTls('other domain'), nobody],
  ['the right identity', () => overTls('right'), [200, 200, 200, 403, 200, 200, 200, 403]],
  ['another identity', () => overTls('another'), [200, 200, 403, 200, 403, 200, 200, 403]],
  ['the same account of another namespace', () => overTls('namesake'), [200, 200, 403, 200, 403, 403, 200, 403]],
  [
    'the right identity with a good token',
    () => overTls('right', issuer.token()),
    [200, 200, 200, 403, 200, 200, 200, 200],
  ],
  [
    'another identity with a good token',
    () => overTls('another', issuer.token()),
    [200, 200, 403, 200, 403, 200, 200, 403],
  ],
  [
    'the right identity with an expired token',
    () => overTls('right', expired()),
    [200, 200, 200, 403, 200, 200, 401, 401],
  ],
  [
    'the right identity with a forged token',
    () => overTls('right', forged()),
    [200, 200, 200, 403, 200, 200, 401, 401],
  ],
  [
    'the right identity with a token for others',
    () => overTls('right', elsewhere()),
    [200, 200, 200, 403, 200, 200, 403, 403],
  ],
  ['no certificate, but a good token', () => overTls(undefined, issuer.token()), nobody],
];

describe.each(policies.map(([title, yaml], column) => ({ title, yaml, column })))(
  'where $title',
  ({ yaml, column }) => {
    beforeAll(async () => {
      await mesh.apply('policies', documents(...yaml(), security('PeerAuthentication', 'unused', reviewsOfNobody)));
    });

    it.each(callers.map(([title, call, outcomes]) => ({ title, call, wanted: outcomes[column]! })))(
      '$title: $wanted',
      async ({ call, wanted }) => {
        expect(await call()).toBe(wanted);
        expect(mesh.echo('reviews-v1').count()).toBe(wanted === 200 ? 1 : 0);
      },
    );
  },
);

/** A file of YAML is never empty. */
const reviewsOfNobody = { selector: { matchLabels: { app: 'nobody' } }, mtls: { mode: 'STRICT' } };
