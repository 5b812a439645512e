import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { signingKey, TokenIssuer } from '@seine/jwks-fetch/testing';
import { poll } from '@seine/testing';
import { istioYaml, type Seen } from '../../src/index.js';
import { tokenCallers } from './token-callers.js';
import { bearer, reviews, security, TokenMesh, tokenRules } from './token-mesh.js';

/**
 * What is asked of the tokens of callers, on whatever Envoy tests run.
 * @param prepare done before the mesh is started
 */
export function tokenSuite(prepare: () => Promise<void> = () => Promise.resolve()): void {
  const issuer = new TokenIssuer();
  const other = new TokenIssuer();
  issuer.keys.push(signingKey('ES256'));
  let tokens: TokenMesh;

  beforeAll(async () => {
    await prepare();
    await Promise.all([issuer.listen(), other.listen()]);
    tokens = await TokenMesh.start();
  });
  afterAll(async () => {
    await tokens.mesh.stop();
    await Promise.all([issuer.close(), other.close()]);
  });
  beforeEach(() => {
    tokens.mesh.resetUpstreams();
    issuer.answer = undefined;
  });

  describe('a rule for one issuer and audience', () => {
    beforeEach(() => tokens.apply(tokenRules({ issuer: issuer.issuer, jwksUri: issuer.jwksUri, audiences: ['shop'] })));

    it.each(tokenCallers(issuer, other))('%s', async (_title, token, wanted) => {
      expect(await tokens.status(token())).toBe(wanted);
      expect(tokens.mesh.echo('reviews-v1').count()).toBe(wanted === 200 ? 1 : 0);
      // The proxy is still there.
      expect(await tokens.status(issuer.token())).toBe(200);
    });
  });

  describe('the places of tokens', () => {
    const at = (places: object) =>
      tokens.apply(
        tokenRules({ issuer: issuer.issuer, jwks: issuer.jwks, outputPayloadToHeader: 'x-payload', ...places }),
      );
    /** Whether a token is found there: one that is not is no token at all. */
    const isFound = async (headers: Readonly<Record<string, string>>, path = '/') => {
      const { status: answered } = await tokens.call(headers, path);
      return answered === 200 ? tokens.seen?.headers['x-payload'] !== undefined : answered;
    };

    it('J-6: are Authorization: Bearer and access_token, where nothing else is said', async () => {
      await at({});
      const token = issuer.token();
      expect(await isFound({ authorization: `Bearer ${token}` })).toBe(true);
      expect(await isFound({}, `/?access_token=${token}`)).toBe(true);
      expect(await isFound({ authorization: token })).toBe(false);
      expect(await isFound({ authorization: `Basic ${token}` })).toBe(false);
      expect(await isFound({ 'x-token': token, cookie: `token=${token}` }, `/?token=${token}`)).toBe(false);
      expect(await isFound({}, '/?access_token=junk')).toBe(401);
    });

    it('J-6: are those that a rule names, and no others', async () => {
      await at({
        fromHeaders: [{ name: 'x-token' }, { name: 'x-prefixed', prefix: 'Token ' }],
        fromParams: ['token'],
        fromCookies: ['session'],
      });
      const token = issuer.token();
      expect(await isFound({ 'x-token': token })).toBe(true);
      expect(await isFound({ 'x-prefixed': `Token ${token}` })).toBe(true);
      expect(await isFound({ 'x-prefixed': token })).toBe(false);
      expect(await isFound({}, `/path?a=b&token=${token}`)).toBe(true);
      expect(await isFound({ cookie: `other=1; session=${token}` })).toBe(true);
      expect(await isFound({ authorization: `Bearer ${token}` }, `/?access_token=${token}`)).toBe(false);
      const junk: readonly (readonly [name: string, value: string])[] = [
        ['x-token', 'junk'],
        ['x-prefixed', 'Token junk'],
        ['cookie', 'session=junk'],
      ];
      for (const [name, value] of junk) expect(await isFound({ [name]: value })).toBe(401);
      // Of several tokens for one rule, each must be good.
      expect(await isFound({ 'x-token': token, cookie: 'session=junk' })).toBe(401);
      expect(await isFound({ 'x-token': 'junk', cookie: `session=${token}` })).toBe(401);
    });

    it('J-6: of preflights are not looked at', async () => {
      await at({});
      const preflight = { 'access-control-request-method': 'GET', origin: 'http://a', authorization: 'Bearer junk' };
      const { status: answered } = await tokens.call(preflight, '/', 'reviews-v1', 'OPTIONS');
      expect(answered).toBe(200);
    });
  });

  describe('several issuers', () => {
    const both = () => ({ [issuer.issuer]: issuer.token(), [other.issuer]: other.token() });

    it('J-7: are each taken, in one place', async () => {
      await tokens.apply(
        security('RequestAuthentication', 'first', {
          ...reviews,
          jwtRules: [{ issuer: issuer.issuer, jwks: issuer.jwks }],
        }),
        security(
          'RequestAuthentication',
          'second',
          { jwtRules: [{ issuer: other.issuer, jwks: other.jwks }] },
          'istio-system',
        ),
      );
      for (const token of Object.values(both())) expect(await tokens.status(token)).toBe(200);
      expect(await tokens.status(undefined)).toBe(200);
      expect(await tokens.status(new TokenIssuer().keys[0]!.kid)).toBe(401);
      // One issuer's name on a token of the other one's.
      expect(await tokens.status(issuer.token({ iss: other.issuer }))).toBe(401);
      // The rule of the root namespace holds everywhere, the other one for its workload alone.
      const elsewhere = async (token: string) => (await tokens.call(bearer(token), '/', 'ratings-v1')).status;
      expect([await elsewhere(other.token()), await elsewhere(issuer.token())]).toEqual([200, 401]);
    });

    it('J-7: must all be good, in places of their own', async () => {
      await tokens.apply(
        tokenRules(
          { issuer: issuer.issuer, jwks: issuer.jwks, outputClaimToHeaders: [{ header: 'x-first', claim: 'sub' }] },
          {
            issuer: other.issuer,
            jwks: other.jwks,
            fromHeaders: [{ name: 'x-other' }],
            outputClaimToHeaders: [{ header: 'x-second', claim: 'sub' }],
          },
        ),
      );
      const [one, two] = [issuer.token({ sub: 'one' }), other.token({ sub: 'two' })];
      const answer = async (first: string | undefined, second: string | undefined) =>
        (await tokens.call({ ...bearer(first), ...(second !== undefined && { 'x-other': second }) })).status;
      expect(await answer(undefined, undefined)).toBe(200);
      expect(await answer(one, undefined)).toBe(200);
      expect(await answer(undefined, two)).toBe(200);
      expect(await answer(one, two)).toBe(200);
      expect([tokens.seen?.headers['x-first'], tokens.seen?.headers['x-second']]).toEqual(['one', 'two']);
      expect(await answer(one, 'junk')).toBe(401);
      expect(await answer('junk', two)).toBe(401);
      expect(await answer(one, other.token({ exp: 1 }))).toBe(401);
      // Each in the other one's place.
      expect(await answer(two, one)).toBe(401);
      expect(await answer(one, one)).toBe(401);
    });
  });

  describe('what the workload gets', () => {
    const rule = (more: object) => tokens.apply(tokenRules({ issuer: issuer.issuer, jwks: issuer.jwks, ...more }));

    it.each([
      ['in Authorization', {}, (token: string) => ({ headers: { authorization: `Bearer ${token}` }, path: '/' })],
      [
        'in another header',
        { fromHeaders: [{ name: 'x-t' }] },
        (token: string) => ({ headers: { 'x-t': token }, path: '/' }),
      ],
      ['in a parameter', {}, (token: string) => ({ headers: {}, path: `/p?a=1&access_token=${token}` })],
    ])('J-8: is the token %s only where it is forwarded', async (_where, places, present) => {
      const token = issuer.token();
      const { headers, path } = present(token);
      const got = async () => {
        expect((await tokens.call(headers, path)).status).toBe(200);
        return JSON.stringify([tokens.seen?.headers, tokens.seen?.path]).includes(token);
      };
      await rule({ ...places, forwardOriginalToken: true });
      expect(await got()).toBe(true);
      await rule({ ...places, forwardOriginalToken: false });
      expect(await got()).toBe(false);
      await rule(places);
      expect(await got()).toBe(false);
    });

    it('J-8: is a cookie always, as Envoy takes none out', async () => {
      await rule({ fromCookies: ['t'], forwardOriginalToken: false });
      const cookie = `a=1; t=${issuer.token()}`;
      expect((await tokens.call({ cookie })).status).toBe(200);
      expect(tokens.seen?.headers['cookie']).toBe(cookie);
    });

    it('are payload and claims as headers, which no caller can make up', async () => {
      await rule({
        outputPayloadToHeader: 'x-payload',
        outputClaimToHeaders: [
          { header: 'x-user', claim: 'sub' },
          { header: 'x-group', claim: 'realm.group' },
          { header: 'x-level', claim: 'level' },
        ],
      });
      const forged = { 'x-payload': 'forged', 'x-user': 'root', 'x-group': 'root', 'x-level': '9' };
      const claims = { realm: { group: 'readers' }, level: 5 };
      expect((await tokens.call({ ...forged, ...bearer(issuer.token(claims)) })).status).toBe(200);
      const headers = tokens.seen?.headers ?? {};
      expect(headers).toMatchObject({ 'x-user': 'anna', 'x-group': 'readers', 'x-level': '5' });
      const payload = JSON.parse(Buffer.from(headers['x-payload'] ?? '', 'base64url').toString()) as object;
      expect(payload).toMatchObject({ iss: issuer.issuer, sub: 'anna', ...claims });
      expect((await tokens.call(forged)).status).toBe(200);
      expect(Object.keys(forged).filter((name) => tokens.seen?.headers[name] !== undefined)).toEqual([]);
    });
  });

  describe('claims', () => {
    const when = (...conditions: readonly object[]) =>
      tokens.apply(
        tokenRules({ issuer: issuer.issuer, jwks: issuer.jwks, spaceDelimitedClaims: ['roles'] }),
        security('AuthorizationPolicy', 'claims', { ...reviews, rules: [{ when: conditions }] }),
      );
    const claim = (path: string, ...values: readonly string[]) => ({ key: `request.auth.claims${path}`, values });
    const withClaims = (more: object) => tokens.status(issuer.token({ ...more }));

    it('J-14: make the principal iss/sub, and none where one of them is missing', async () => {
      const allow = (...requestPrincipals: readonly string[]) =>
        tokens.apply(
          tokenRules({ issuer: issuer.issuer, jwks: issuer.jwks }),
          security('AuthorizationPolicy', 'claims', {
            ...reviews,
            rules: [{ from: [{ source: { requestPrincipals } }] }],
          }),
        );
      await allow(`${issuer.issuer}/anna`);
      expect(await tokens.status(undefined)).toBe(403);
      expect(await withClaims({})).toBe(200);
      expect(await withClaims({ sub: 'ben' })).toBe(403);
      expect(await withClaims({ sub: `anna/` })).toBe(403);
      expect(await withClaims({ sub: undefined })).toBe(403);
      await allow('*');
      expect([await tokens.status(undefined), await withClaims({ sub: 'ben' })]).toEqual([403, 200]);
      expect(await withClaims({ sub: undefined })).toBe(403);
      await allow(`${issuer.issuer}/*`);
      expect([await withClaims({ sub: 'ben' }), await withClaims({ sub: undefined })]).toEqual([200, 403]);
    });

    it('J-15: match nested, in lists, and in texts that are lists', async () => {
      await when(claim('[realm][group]', 'admins'));
      expect(await withClaims({ realm: { group: 'admins' } })).toBe(200);
      expect(await withClaims({ realm: { group: ['users', 'admins'] } })).toBe(200);
      expect(await withClaims({ realm: { group: 'users' } })).toBe(403);
      expect(await withClaims({ 'realm.group': 'admins' })).toBe(403);
      expect(await withClaims({ realm: 'admins' })).toBe(403);
      for (const name of ['scope', 'permission', 'roles']) {
        await when(claim(`[${name}]`, 'write'));
        expect(await withClaims({ [name]: 'read write' })).toBe(200);
        expect(await withClaims({ [name]: ['read', 'write'] })).toBe(200);
        expect(await withClaims({ [name]: 'read rewrite' })).toBe(403);
      }
      await when(claim('[group]', 'write'));
      expect(await withClaims({ group: 'read write' })).toBe(403);
    });

    it('J-15: that are numbers, truths, objects or null never match a text', async () => {
      for (const [value, text] of [
        [5, '5'],
        [true, 'true'],
        [null, 'null'],
        [{ a: 'b' }, '{"a":"b"}'],
        [{ a: 'b' }, 'a'],
        [[5], '5'],
        [[['x']], 'x'],
      ] as const) {
        await when(claim('[level]', text));
        expect(await withClaims({ level: value })).toBe(403);
        expect(await withClaims({ level: text })).toBe(200);
      }
    });
  });

  describe('a gateway', () => {
    const gateway = (token?: string) => tokens.mesh.callGateway('shop.example.com', '/', { headers: bearer(token) });

    it('routes by claims, once tokens are checked there', async () => {
      const route = (host: string) => ({ route: [{ destination: { host, port: { number: 8080 } } }] });
      await tokens.apply(
        istioYaml('Gateway', 'front', {
          selector: { istio: 'ingressgateway' },
          servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
        }),
        istioYaml('VirtualService', 'shop', {
          hosts: ['shop.example.com'],
          gateways: ['front'],
          http: [
            { match: [{ headers: { '@request.auth.claims.group': { exact: 'beta' } } }], ...route('reviews') },
            { match: [{ headers: { '@request.auth.claims[realm][role]': { prefix: 'adm' } } }], ...route('reviews') },
            route('ratings'),
          ],
        }),
        security(
          'RequestAuthentication',
          'front',
          {
            selector: { matchLabels: { istio: 'ingressgateway' } },
            jwtRules: [{ issuer: issuer.issuer, jwksUri: issuer.jwksUri }],
          },
          'istio-system',
        ),
      );
      const served = async (token?: string) => {
        const { status: answered, body } = await gateway(token);
        return answered === 200 ? (JSON.parse(body) as Seen).workload : answered;
      };
      await poll(async () => (await served(issuer.token({ group: 'beta' }))) === 'reviews-v1', 'the keys');
      expect(await served(issuer.token({ group: ['alpha', 'beta'] }))).toBe('reviews-v1');
      expect(await served(issuer.token({ realm: { role: 'admin' } }))).toBe('reviews-v1');
      expect(await served(issuer.token({ group: 'alpha' }))).toBe('ratings-v1');
      expect(await served()).toBe('ratings-v1');
      expect(await served('junk')).toBe(401);
      // A header of that name is no claim.
      const claimed = { headers: { '@request.auth.claims.group': 'beta' } };
      const reply = await tokens.mesh.callGateway('shop.example.com', '/', claimed).catch(() => undefined);
      expect(reply?.body ?? '').not.toContain('reviews-v1');
    });
  });
}
