import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { signingKey, TokenIssuer } from '@seine/jwks-fetch/testing';
import { poll } from '@seine/testing';
import { documents, freePort, istioYaml, request, TestMesh } from '../../src/index.js';
import { tokenCallers } from './token-callers.js';

jest.setTimeout(180_000);
const issuer = new TokenIssuer();
const other = new TokenIssuer();
issuer.keys.push(signingKey('ES256'));
let mesh: TestMesh;

beforeAll(async () => {
  await Promise.all([issuer.listen(), other.listen()]);
  mesh = await TestMesh.start({
    workloads: [
      { name: 'reviews-v1', sidecar: true },
      { name: 'ratings-v1', sidecar: true },
    ],
    gateway: true,
    pilotArguments: ['--jwks-allow', '127.0.0.0/8', '--jwks-refresh', '1s'],
  });
});
afterAll(async () => {
  await mesh.stop();
  await Promise.all([issuer.close(), other.close()]);
});
beforeEach(() => {
  mesh.resetUpstreams();
  issuer.answer = undefined;
});

const security = (kind: string, name: string, spec: object, namespace = 'default'): string =>
  `apiVersion: security.istio.io/v1
kind: ${kind}
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${JSON.stringify(spec)}
`;
const reviews = { selector: { matchLabels: { app: 'reviews' } } };
const rules = (...jwtRules: readonly object[]): string =>
  security('RequestAuthentication', 'tokens', { ...reviews, jwtRules });

interface KeySources {
  readonly sources: readonly {
    readonly source: string;
    readonly state: string;
    readonly ageSeconds?: number;
    readonly message?: string;
  }[];
}
const sources = async () => (JSON.parse(await mesh.pilot.admin('/debug/jwks')) as KeySources).sources;

/** Puts rules into force, with the keys that they name. */
async function apply(...yaml: readonly string[]): Promise<void> {
  await mesh.apply('tokens', documents(...yaml));
  await poll(async () => (await sources()).every(({ state }) => state !== 'loading'), 'keys to be looked for');
  await mesh.untilSynced();
}

/** A call straight to the port of the workload's sidecar. */
const call = (headers: Readonly<Record<string, string>>, path = '/', workload = 'reviews-v1') =>
  request(mesh.workloads.get(workload)!.address, 8080, path, { headers: { host: 'reviews:8080', ...headers } });
const bearer = (token: string | undefined) => (token === undefined ? {} : { authorization: `Bearer ${token}` });
const status = async (token: string | undefined, path = '/') => (await call(bearer(token), path)).status;
const untilStatus = (token: () => string, wanted: number) =>
  poll(async () => (await status(token())) === wanted, `status ${wanted}`);
/** What the workload got. */
const seen = () => mesh.echo('reviews-v1').seen.at(-1);

describe('a rule for one issuer and audience', () => {
  beforeEach(() => apply(rules({ issuer: issuer.issuer, jwksUri: issuer.jwksUri, audiences: ['shop'] })));

  it.each(tokenCallers(issuer, other))('%s', async (_title, token, wanted) => {
    expect(await status(token())).toBe(wanted);
    expect(mesh.echo('reviews-v1').count()).toBe(wanted === 200 ? 1 : 0);
    // The proxy is still there.
    expect(await status(issuer.token())).toBe(200);
  });
});
