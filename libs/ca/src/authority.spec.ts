import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type AuditRecord, type AuthorityOptions, CertificateAuthority, defaultLimits } from './authority.js';
import { type JoinGrant, JoinGrantsInMemory, JoinTokens } from './join-tokens.js';
import { makeRoot, readSigner, type Signer } from './signer.js';
import { localSigner } from './signers/certificate-signer.js';
import { OpensslFolder } from './testing/openssl.js';
import { TokenBuckets } from './token-bucket.js';

const openssl = new OpensslFolder();
afterAll(() => openssl.remove());
const start = Date.parse('2026-11-01T00:00:00Z');
const reviews = { trustDomain: 'td', namespace: 'default', serviceAccount: 'reviews' };
const caller = { identity: reviews, by: 'join-token', address: '127.0.0.1' };
let signer: Signer;
let csr: string;
beforeAll(async () => {
  signer = readSigner(await makeRoot({ trustDomain: 'td', now: start, lifetimeMs: 1e9 }), start);
  csr = openssl.request();
});

function authority(change: Partial<AuthorityOptions> = {}) {
  const records: AuditRecord[] = [];
  const made = new CertificateAuthority({
    ...defaultLimits,
    lifetimes: { fallback: 3600, maximum: 7200 },
    signer: localSigner(() => signer),
    isDenied: () => false,
    audit: (record) => records.push(record),
    now: () => start,
    ...change,
  });
  return { made, records };
}

describe('the certificate authority', () => {
  it('C-10 C-23 signs for the proven identity and writes down whom, how, and until when', async () => {
    const { made, records } = authority();
    const issued = await made.sign(caller, { csr, lifetime: 60 });
    expect(issued).toMatchObject({ spiffeId: 'spiffe://td/ns/default/sa/reviews', notAfter: start + 60_000 });
    expect(records).toEqual([
      {
        time: '2026-11-01T00:00:00.000Z',
        event: 'issued',
        spiffeId: 'spiffe://td/ns/default/sa/reviews',
        by: 'join-token',
        address: '127.0.0.1',
        serial: expect.stringMatching(/^[0-9a-f]{32}$/),
        notAfter: '2026-11-01T00:01:00.000Z',
        ttl: 60,
      },
    ]);
  });

  it.each<[string, Partial<AuthorityOptions>, { csr?: string; lifetime?: number }, string, RegExp]>([
    ['C-13 a longer life than the maximum', {}, { lifetime: 7201 }, 'INVALID_ARGUMENT', /maximum of 7200 s/],
    ['C-8 junk', {}, { csr: 'junk' }, 'INVALID_ARGUMENT', /not a certificate request/],
    ['a revoked identity', { isDenied: (id) => id.endsWith('/sa/reviews') }, {}, 'PERMISSION_DENIED', /is revoked/],
    ['while there is no root', { signer: localSigner(() => undefined) }, {}, 'UNAVAILABLE', /nobody signs at present/],
  ])('refuses %s, and writes that down', async (_name, options, request, code, message) => {
    const { made, records } = authority(options);
    expect(await made.sign(caller, { csr, lifetime: 0, ...request })).toMatchObject({
      refusal: { code, message: expect.stringMatching(message) },
    });
    expect(records).toMatchObject([{ event: 'refused', reason: expect.stringMatching(message) }]);
    expect(JSON.stringify(records)).not.toMatch(/BEGIN|junk/);
  });

  it('C-21 limits an address before anything is done for it', () => {
    const { made } = authority({ perAddress: { burst: 2, perSecond: 1 } });
    const admitted = ['10.0.0.1', '10.0.0.1', '10.0.0.1', '10.0.0.2'].map((address) => made.admit(address)?.code);
    expect(admitted).toEqual([undefined, undefined, 'RESOURCE_EXHAUSTED', undefined]);
  });

  it('C-23 writes down who was not believed', () => {
    const { made, records } = authority();
    made.writeUnproved('10.0.0.1', 'the token has expired');
    expect(records).toMatchObject(
      [{ event: 'refused', spiffeId: '', address: '10.0.0.1', reason: /expired/ }].map((r) => ({
        ...r,
        reason: expect.stringMatching(r.reason),
      })),
    );
  });

  it('C-21 limits one identity without limiting others', async () => {
    const { made } = authority({ perIdentity: { burst: 2, perSecond: 1 } });
    const ask = (serviceAccount: string) =>
      made.sign({ ...caller, identity: { ...reviews, serviceAccount } }, { csr, lifetime: 0 });
    const outcomes = await Promise.all(
      ['noisy', 'noisy', 'noisy', 'quiet'].map(async (name) => 'refusal' in (await ask(name))),
    );
    expect(outcomes).toEqual([false, false, true, false]);
    expect(await ask('noisy')).toMatchObject({ refusal: { code: 'RESOURCE_EXHAUSTED', retryAfter: 1000 } });
  });
});

describe('token buckets', () => {
  it('fill again with time, up to the burst', () => {
    const buckets = new TokenBuckets({ burst: 2, perSecond: 10 });
    const waits = [0, 0, 0, 50, 100, 10_000, 10_000, 10_000].map((now) => buckets.take('a', now));
    expect(waits).toEqual([0, 0, 100, 50, 0, 0, 0, 100]);
  });

  it('hold so many keys and no more', () => {
    const buckets = new TokenBuckets({ burst: 1, perSecond: 1 }, 2);
    expect(['a', 'b', 'c', 'a', 'c'].map((key) => buckets.take(key, 0))).toEqual([0, 0, 0, 0, 1000]);
  });

  it('do not mind a clock that goes back', () => {
    const buckets = new TokenBuckets({ burst: 1, perSecond: 1 });
    expect([buckets.take('a', 5000), buckets.take('a', 0)]).toEqual([0, 1000]);
  });
});

describe('join tokens', () => {
  const tokens = () => {
    const grants: [string, JoinGrant][] = [];
    const memory = new JoinGrantsInMemory();
    const put = (hash: string, grant: JoinGrant): void => {
      grants.push([hash, grant]);
      memory.put(hash, grant);
    };
    return { grants, tokens: new JoinTokens({ put, take: (hash) => memory.take(hash) }) };
  };

  it('prove an identity once', () => {
    const { tokens: made, grants } = tokens();
    const token = made.create(reviews, start + 1000);
    expect(JSON.stringify(grants)).not.toContain(token);
    expect(made.redeem(token, start)).toEqual(reviews);
    expect(made.redeem(token, start)).toEqual({ error: expect.stringMatching(/used up/) });
  });

  it('end', () => {
    const { tokens: made } = tokens();
    const token = made.create(reviews, start + 1000);
    expect(made.redeem(token, start + 1000)).toEqual({ error: expect.stringMatching(/expired/) });
    expect(made.redeem('', start)).toEqual({ error: expect.stringMatching(/not known/) });
  });
});
