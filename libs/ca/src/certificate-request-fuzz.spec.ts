import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { makeCertificateRequest, makeWorkloadKey } from './certificate-request-maker.js';
import { CertificateRequestError, readCertificateRequest, readRequestedNames } from './certificate-request.js';
import { decodePem, encodePem } from './pem.js';

/** So many each time; SEINE_FUZZ=1000000 for a long one. */
const count = Number(process.env['SEINE_FUZZ'] ?? 100_000);
/** The same each time, so that what fails fails again. */
const seed = 20_261_121;
const cpuMs = 100;
let seeds: readonly Buffer[];

beforeAll(async () => {
  const [ec, rsa] = [await makeWorkloadKey('ecdsa-p256'), await makeWorkloadKey('rsa-2048')];
  const names = { uris: ['spiffe://td/ns/default/sa/reviews'], dnsNames: ['reviews.default.svc'] };
  const pems = [makeCertificateRequest(ec), makeCertificateRequest(ec, names), makeCertificateRequest(rsa, names)];
  seeds = pems.map((pem) => decodePem(pem, ['CERTIFICATE REQUEST'])[0]!);
});

/** xorshift32. */
function random() {
  let state = seed;
  return (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Cuts, changes, repeats or puts in bytes; lengths and tags of DER are the favourites. */
function mutate(der: Buffer, pick: (below: number) => number): Buffer {
  const at = pick(der.length);
  const some = 1 + pick(16);
  switch (pick(6)) {
    case 0:
      return der.subarray(0, at);
    case 1:
      return Buffer.concat([der.subarray(0, at), der.subarray(at + some)]);
    case 2:
      return Buffer.concat([der.subarray(0, at), der.subarray(Math.max(0, at - some))]);
    case 3: {
      const interesting = [0x00, 0x01, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x84, 0xa0, 0xff];
      return Buffer.concat([
        der.subarray(0, at),
        Buffer.from([interesting[pick(interesting.length)]!]),
        der.subarray(at + 1),
      ]);
    }
    case 4:
      return Buffer.concat([der.subarray(0, at), Buffer.alloc(some, pick(256)), der.subarray(at)]);
    default: {
      const changed = Buffer.from(der);
      changed[at]! ^= 1 << pick(8);
      return changed;
    }
  }
}

/** What comes of a request: the key that was taken, or a refusal in words. Anything else that is thrown is a crash. */
function outcome(pem: string): Buffer | string {
  try {
    const { spki } = readCertificateRequest(pem);
    return spki;
  } catch (error) {
    if (error instanceof CertificateRequestError) return error.message;
    throw error;
  }
}

describe('C-8 requests', () => {
  it(`broken at random (${count}) are refused with a reason, or are what they were`, () => {
    const pick = random();
    const reasons = new Set<string>();
    const wrong: string[] = [];
    for (let n = 0; n < count; n++) {
      const original = seeds[n % seeds.length]!;
      let der = mutate(original, pick);
      if (pick(4) === 0) der = mutate(der.length === 0 ? original : der, pick);
      const result = outcome(encodePem('CERTIFICATE REQUEST', der));
      if (typeof result === 'string') reasons.add(result.replace(/[\d.]+/g, 'N'));
      // Only a change that changes nothing is taken: the signature covers all but itself.
      else if (!original.includes(result)) wrong.push(der.toString('hex'));
    }
    expect(wrong).toEqual([]);
    expect([...reasons].every((reason) => reason.length > 10)).toBe(true);
    // It has gone beyond the first check: to keys, algorithms and signatures.
    expect(reasons.size).toBeGreaterThan(4);
  }, 300_000);

  it('that ask for broken names are refused with a reason, where names count', () => {
    const pick = random();
    for (let n = 0; n < count / 50; n++) {
      const pem = encodePem('CERTIFICATE REQUEST', mutate(seeds[1]!, pick));
      try {
        readRequestedNames(pem);
      } catch (error) {
        if (!(error instanceof CertificateRequestError)) throw error;
      }
    }
  });

  const block = '-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n';
  const many = (what: string, times: number) => Array.from({ length: times }, () => what).join('');
  it.each<[string, () => string]>([
    ['10 MiB of PEM', () => encodePem('CERTIFICATE REQUEST', randomBytes(10 * 1024 * 1024))],
    ['1 MB of junk', () => randomBytes(1_000_000).toString('latin1')],
    ['100,000 blocks', () => many(block, 100_000)],
    ['200 small blocks', () => many(block, 200)],
    ['a label without an end', () => many('-----BEGIN CERTIFICATE REQUEST-----\n', 400)],
    ['10,000 names', () => encodePem('CERTIFICATE REQUEST', Buffer.alloc(10_000 * 20, 0x30))],
    [
      '1,000 sequences in one another',
      () => encodePem('CERTIFICATE REQUEST', Buffer.alloc(2000, Buffer.from([0x30, 0x80]))),
    ],
    [
      '5,000 empty sequences',
      () =>
        encodePem(
          'CERTIFICATE REQUEST',
          Buffer.concat([Buffer.from([0x30, 0x82, 0x27, 0x10]), Buffer.alloc(10_000, Buffer.from([0x30, 0]))]),
        ),
    ],
  ])(`of %s take less than ${cpuMs} ms of CPU`, (_what, make) => {
    const pem = make();
    // The first of a kind pays for what is compiled.
    outcome(pem);
    const before = process.cpuUsage();
    expect(outcome(pem)).toMatch(/at most 16384 bytes|not a certificate request/);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(cpuMs);
  });
});
