import { createPublicKey } from 'node:crypto';
import {
  hmacToken,
  type SigningKey,
  signingKey,
  type TokenIssuer,
  tokenOf,
  unsignedToken,
} from '@seine/jwks-fetch/testing';

/** What a caller presents, and how it is answered; undefined: no token at all. */
export type TokenCaller = readonly [title: string, token: () => string | undefined, status: number];

const seconds = (offset: number): number => Math.floor(Date.now() / 1000) + offset;
const flip = (text: string): string => (text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`);

/**
 * Callers of a workload whose one rule takes tokens of an issuer, for the audience `shop`.
 * @param other an issuer that no rule names
 */
export function tokenCallers(issuer: TokenIssuer, other: TokenIssuer): readonly TokenCaller[] {
  const parts = (): [string, string, string] => issuer.token().split('.') as [string, string, string];
  const joined = (change: (parts: [string, string, string]) => readonly string[]) => () => change(parts()).join('.');
  const attacker = signingKey('RS256', 'attacker');
  const asOwn = (header: () => Readonly<Record<string, unknown>>) => () => tokenOf(attacker, issuer.claims(), header());
  const key = (): SigningKey => issuer.keys[0]!;
  const pem = (): string => createPublicKey(key().privateKey).export({ type: 'spki', format: 'pem' }) as string;
  const byEs256 = (): string =>
    tokenOf(
      issuer.keys.find(({ alg }) => alg === 'ES256')!,
      issuer.claims(),
    );
  return [
    ['J-1: no token', () => undefined, 200],
    ['a good token by RS256', () => issuer.token(), 200],
    ['a good token by ES256', byEs256, 200],
    [
      'J-2: a token whose signature is another’s',
      () => `${parts()[0]}.${parts()[1]}.${issuer.token({ sub: 'x' }).split('.')[2] ?? ''}`,
      401,
    ],
    ['J-2: a token with a changed signature', joined(([h, p, s]) => [h, p, flip(s)]), 401],
    ['J-2: a token with a changed payload', joined(([h, p, s]) => [h, flip(p), s]), 401],
    ['J-2: an expired token', () => issuer.token({ exp: seconds(-120) }), 401],
    ['J-2: a token that has expired within the skew of 60 s', () => issuer.token({ exp: seconds(-20) }), 200],
    ['J-2: a token that is not valid yet', () => issuer.token({ nbf: seconds(120) }), 401],
    ['J-2: a token that will be valid within the skew', () => issuer.token({ nbf: seconds(20) }), 200],
    ['J-2: a truncated token', () => issuer.token().slice(0, -40), 401],
    ['J-2: a token without its signature', joined(([h, p]) => [h, p]), 401],
    ['J-2: a token with an empty signature', joined(([h, p]) => [h, p, '']), 401],
    ['J-2: a token without dots', joined((all) => [all.join('')]), 401],
    ['J-2: dots alone', () => '..', 401],
    ['J-2: a token of four parts', joined((all) => [...all, 'AAAA']), 401],
    ['J-2: a payload that is no JSON', joined(([h, , s]) => [h, 'AAAA', s]), 401],
    ['J-2: a token in the old form of JSON', () => `{"payload":"${parts()[1]}"}`, 401],
    ['J-2: 40 KiB of junk', () => 'A'.repeat(40 * 1024), 401],
    ['J-2: 40 KiB of dots', () => '.'.repeat(40 * 1024), 401],
    // Envoy takes no more than 60 KiB of headers: nothing of it is looked at.
    ['J-2: 64 KiB of junk', () => 'A'.repeat(64 * 1024), 431],
    ['J-3: a good token of an issuer that no rule names', () => other.token(), 401],
    ['J-3: a token of another issuer by the right key', () => issuer.token({ iss: other.issuer }), 401],
    ['J-3: a token that names no issuer', () => issuer.token({ iss: undefined }), 401],
    ['J-3: a token whose issuer is another by case', () => issuer.token({ iss: issuer.issuer.toUpperCase() }), 401],
    ['J-4: an unsigned token (alg none)', () => unsignedToken(issuer.claims()), 401],
    ['J-4: alg none with a signature', () => issuer.token({}, { alg: 'none' }), 401],
    ['J-4: HS256 with the PEM of the RSA public key', () => hmacToken(pem(), issuer.claims(), { kid: key().kid }), 401],
    ['J-4: HS256 with the published key', () => hmacToken(JSON.stringify(key().jwk), issuer.claims()), 401],
    [
      'J-4: HS256 with the modulus',
      () => hmacToken(Buffer.from(String(key().jwk['n']), 'base64url'), issuer.claims()),
      401,
    ],
    ['J-4: RS256 that claims to be ES256', () => issuer.token({}, { alg: 'ES256' }), 401],
    ['J-4: the key and kid of another issuer', () => tokenOf(other.keys[0]!, issuer.claims()), 401],
    ['J-4: another issuer’s kid', () => issuer.token({}, { kid: other.keys[0]!.kid }), 401],
    ['J-4: an attacker’s key under the right kid', asOwn(() => ({ kid: key().kid })), 401],
    ['J-4: jku to the attacker', asOwn(() => ({ jku: other.jwksUri })), 401],
    ['J-4: x5u to the attacker', asOwn(() => ({ x5u: `${other.issuer}/cert` })), 401],
    ['J-4: the attacker’s key in the token', asOwn(() => ({ kid: key().kid, jwk: attacker.jwk })), 401],
    ['J-5: a token for another audience', () => issuer.token({ aud: 'bank' }), 403],
    ['J-5: a token for others', () => issuer.token({ aud: ['bank', 'post'] }), 403],
    ['J-5: a token for no one', () => issuer.token({ aud: undefined }), 403],
    ['J-5: a token for the shop and others', () => issuer.token({ aud: ['bank', 'shop'] }), 200],
    ['J-5: a token for an audience that begins as ours', () => issuer.token({ aud: 'shopping' }), 403],
  ];
}
