import { beforeEach, describe, expect, it } from '@jest/globals';
import type { KubeAnswer } from '@seine/ca';
import { authenticate, type Proof } from '@seine/identity';
import { FakeKubeApi } from '../../../../libs/ca/src/testing/fake-kube-api.js';
import { impersonate, kubePods } from './impersonation.js';
import { byTokenReview } from './token-review.js';

const trustDomain = 'td';
const pod = { name: 'reviews-1', uid: 'u1', node: 'node-a' };
let api: FakeKubeApi;
beforeEach(() => {
  api = new FakeKubeApi();
  api.pods.set('default/reviews-1', { uid: 'u1', node: 'node-a', account: 'reviews' });
});

/** The look of a JWT with these claims; the double knows tokens by their text. */
function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256' })}.${part(claims)}.signature`;
}
const projected = jwt({ aud: ['istio-ca'], jti: '1' });
const legacy = jwt({ sub: 'legacy' });
const forApi = jwt({ aud: ['https://kubernetes.default.svc'] });

function review(bearer: string | undefined, acceptLegacy = true): Promise<Proof> {
  const way = byTokenReview({ api, audience: 'istio-ca', trustDomain, acceptLegacy });
  return authenticate([way], { bearer, certificate: undefined });
}
const known = (change: object = {}) => ({
  namespace: 'default',
  account: 'reviews',
  audiences: ['istio-ca'],
  pod,
  ...change,
});
const error = (text: RegExp) => ({ error: expect.stringMatching(text) });

describe('TokenReview (against a double of the API)', () => {
  it('C-10 says whose a pod’s token is', async () => {
    api.tokens.set(projected, known());
    expect(await review(projected)).toEqual({
      identity: { trustDomain, namespace: 'default', serviceAccount: 'reviews' },
      by: 'token-review',
      pod: { name: 'reviews-1', uid: 'u1', node: undefined },
    });
    expect(api.asked[0]).toMatchObject({
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      body: { kind: 'TokenReview', spec: { token: projected, audiences: ['istio-ca'] } },
    });
  });

  it('C-9 believes no token that has expired, is of a pod that has gone, or of one that is another now', async () => {
    api.tokens.set(projected, known({ isExpired: true }));
    expect(await review(projected)).toEqual(error(/token has expired/));
    api.tokens.set(projected, known());
    api.pods.delete('default/reviews-1');
    expect(await review(projected)).toEqual(error(/has been invalidated/));
    api.pods.set('default/reviews-1', { uid: 'u2', node: 'node-a', account: 'reviews' });
    expect(await review(projected)).toEqual(error(/has been invalidated/));
  });

  it('C-9 believes no token of another cluster, and none for another audience', async () => {
    expect(await review(projected)).toEqual(error(/invalid bearer token/));
    api.tokens.set(forApi, known({ audiences: ['https://kubernetes.default.svc'] }));
    expect(await review(forApi)).toEqual(error(/invalid for the target audiences/));
    expect(await review('junk')).toEqual(error(/invalid bearer token/));
    expect(await review(undefined)).toEqual(error(/no credentials/));
  });

  it('C-9 asks whether the audience is the one that it asked for', async () => {
    // An API server that knows no audiences answers nothing of them.
    api.request = (): Promise<KubeAnswer> => {
      const user = { username: 'system:serviceaccount:default:reviews', groups: ['system:serviceaccounts'] };
      return Promise.resolve({ status: 201, body: { status: { authenticated: true, user } } });
    };
    expect(await review(projected)).toEqual(error(/is not for istio-ca/));
  });

  it.each([
    ['a user', 'alice', ['system:authenticated']],
    ['a node', 'system:node:a', ['system:nodes']],
    ['a user who calls himself an account', 'system:serviceaccount:default:admin', ['system:authenticated']],
  ])('C-9 believes no token of %s', async (_who, username, groups) => {
    const body = { status: { authenticated: true, audiences: ['istio-ca'], user: { username, groups } } };
    api.request = () => Promise.resolve({ status: 201, body });
    expect(await review(projected)).toEqual(error(/of no service account/));
  });

  it('takes legacy tokens, which name no audience, unless it is told not to', async () => {
    api.tokens.set(legacy, known({ audiences: [], pod: undefined }));
    expect(await review(legacy)).toMatchObject({ identity: { serviceAccount: 'reviews' } });
    expect(api.asked[0]!.body).toMatchObject({ spec: { token: legacy } });
    expect(await review(legacy, false)).toEqual(error(/names no audience/));
  });

  it('gives no verdict while the API is away, and repeats no token', async () => {
    api.isAway = true;
    expect(await review(projected)).toEqual({ ...error(/ECONNREFUSED/), unavailable: true });
    api.isAway = false;
    api.status = 500;
    const proof = await review(projected);
    expect(proof).toMatchObject({ unavailable: true });
    expect(JSON.stringify(proof)).not.toContain(projected);
  });

  it('leaves join tokens alone', async () => {
    expect(await review('seine-join.x')).toEqual(error(/no credentials/));
    expect(api.asked).toEqual([]);
  });
});

describe('C-11 an agent that asks for a pod of its node (against a double of the API)', () => {
  const agent = { trustDomain, namespace: 'istio-system', serviceAccount: 'agent' };
  const proof = { identity: agent, by: 'token-review', pod: { name: 'agent-a', uid: 'a', node: undefined } };
  const wanted = 'spiffe://td/ns/default/sa/reviews';
  const options = () => ({ accounts: new Set(['istio-system/agent']), pods: kubePods(api) });
  beforeEach(() => void api.pods.set('istio-system/agent-a', { uid: 'a', node: 'node-a', account: 'agent' }));

  it('gets it', async () => {
    const got = { identity: { trustDomain, namespace: 'default', serviceAccount: 'reviews' }, by: 'token-review' };
    expect(await impersonate(proof, wanted, options())).toEqual(got);
    const said = { ...proof, pod: { ...proof.pod, node: 'node-a' } };
    expect(await impersonate(said, wanted, options())).toEqual(got);
  });

  it('gets nothing by default', async () => {
    expect(await impersonate(proof, wanted, undefined)).toEqual(error(/nobody may here/));
  });

  it.each<[string, () => Promise<Proof>, RegExp]>([
    [
      'of an account that is not listed',
      () => impersonate({ ...proof, identity: { ...agent, serviceAccount: 'x' } }, wanted, options()),
      /none of those/,
    ],
    [
      'without a pod of its own',
      () => impersonate({ identity: agent, by: 'oidc' }, wanted, options()),
      /bound to no pod/,
    ],
    [
      'of another trust domain',
      () => impersonate(proof, 'spiffe://other/ns/default/sa/reviews', options()),
      /no account of this mesh/,
    ],
    ['that is no account', () => impersonate(proof, 'spiffe://td/x', options()), /no account of this mesh/],
    [
      'that has no pod on the node',
      () => impersonate(proof, 'spiffe://td/ns/default/sa/ratings', options()),
      /no pod of .*ratings is on the node node-a/,
    ],
  ])('gets nothing %s', async (_what, ask, reason) => {
    api.pods.set('default/ratings-1', { uid: 'r', node: 'node-b', account: 'ratings' });
    expect(await ask()).toEqual(error(reason));
  });

  it('gets nothing for a pod that has moved, nor when its own has', async () => {
    api.pods.set('default/reviews-1', { uid: 'u1', node: 'node-b', account: 'reviews' });
    expect(await impersonate(proof, wanted, options())).toEqual(error(/no pod of .*reviews/));
    api.pods.set('istio-system/agent-a', { uid: 'another', node: 'node-b', account: 'agent' });
    expect(await impersonate(proof, wanted, options())).toEqual(error(/agent-a .* is not there/));
  });

  it('gets no verdict while the API is away', async () => {
    api.isAway = true;
    expect(await impersonate(proof, wanted, options())).toMatchObject({ unavailable: true });
  });
});
