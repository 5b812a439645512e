import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { exportJWK, SignJWT } from 'jose';
import { authenticate, byOidcToken } from './authenticators.js';
import { ProviderKeys } from './provider-keys.js';

const minute = 60_000;
const keyOf = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const [one, two] = [keyOf(), keyOf()];
let clock: number;
let documents: Map<string, string>;
let read: string[];
let problems: string[];
beforeEach(() => {
  clock = Date.now();
  documents = new Map();
  read = [];
  problems = [];
});

async function publish(url: string, ...keys: readonly (readonly [string, { publicKey: KeyObject }])[]): Promise<void> {
  const jwks = await Promise.all(
    keys.map(async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid, alg: 'ES256' })),
  );
  documents.set(url, JSON.stringify({ keys: jwks }));
}

function token(kid: string, { privateKey }: { privateKey: KeyObject }): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid })
    .setIssuer('https://provider')
    .setAudience('istio-ca')
    .setSubject('system:serviceaccount:default:reviews')
    .setExpirationTime(Math.floor(clock / 1000) + 7200)
    .sign(privateKey);
}

function provider(jwks?: URL) {
  const keys = new ProviderKeys({
    issuer: 'https://provider',
    jwks,
    read: (url) => {
      read.push(url.href);
      const found = documents.get(url.href);
      return found === undefined ? Promise.reject(new Error('away')) : Promise.resolve(found);
    },
    now: () => clock,
    onProblem: (problem) => problems.push(problem),
  });
  const options = { issuer: 'https://provider', audience: 'istio-ca', trustDomain: 'td', now: () => clock };
  const way = byOidcToken({ ...options, keys: keys.lookup });
  return (bearer: string) => authenticate([way], { bearer, certificate: undefined });
}

const believed = { identity: { trustDomain: 'td', namespace: 'default', serviceAccount: 'reviews' }, by: 'oidc' };
const at = 'https://provider/keys';

describe('the keys of an OpenID provider', () => {
  it('are found by its discovery document, and read once', async () => {
    const discovery = 'https://provider/.well-known/openid-configuration';
    documents.set(discovery, JSON.stringify({ issuer: 'https://provider', jwks_uri: at }));
    await publish(at, ['one', one]);
    const ask = provider();
    expect(await ask(await token('one', one))).toEqual(believed);
    expect(await ask(await token('one', one))).toEqual(believed);
    expect(read).toEqual([discovery, at]);
  });

  it('are of the provider that was named, and of no other', async () => {
    const discovery = 'https://provider/.well-known/openid-configuration';
    documents.set(discovery, JSON.stringify({ issuer: 'https://evil', jwks_uri: at }));
    expect(await provider()(await token('one', one))).toMatchObject({ unavailable: true });
    expect(problems).toEqual([expect.stringMatching(/is of the issuer https:\/\/evil/)]);
  });

  it('are read anew when a token names one that is not known: the provider has changed its keys', async () => {
    await publish(at, ['one', one]);
    const ask = provider(new URL(at));
    expect(await ask(await token('one', one))).toEqual(believed);
    await publish(at, ['two', two]);
    clock += minute;
    expect(await ask(await token('two', two))).toEqual(believed);
    expect(await ask(await token('one', one))).toEqual({ error: expect.stringMatching(/no applicable key/) });
  });

  it('are not read for each token that names nonsense', async () => {
    await publish(at, ['one', one]);
    const ask = provider(new URL(at));
    for (let n = 0; n < 20; n++) expect(await ask(await token(`x${n}`, two))).not.toHaveProperty('identity');
    expect(read).toHaveLength(1);
  });

  it('stay in force while the provider is away, and there is no verdict where none are known', async () => {
    await publish(at, ['one', one]);
    const ask = provider(new URL(at));
    expect(await ask(await token('one', one))).toEqual(believed);
    documents.clear();
    clock += 60 * minute;
    expect(await ask(await token('one', one))).toEqual(believed);
    expect(await provider(new URL(at))(await token('one', one))).toMatchObject({ unavailable: true });
  });
});
