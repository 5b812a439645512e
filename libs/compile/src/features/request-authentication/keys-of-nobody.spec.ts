import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { readKeySet } from '@seine/istio';
import { keysOfNobody } from './keys-of-nobody.js';

const number = (text = ''): bigint => BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`);

describe('the key of nobody', () => {
  const [key = {}] = readKeySet(keysOfNobody).keys;

  it('J-9: is a point whose x is the hash of a text, so that nobody knows its private key', () => {
    const hash = createHash('sha256').update('Seine: the key of nobody, 0').digest('base64url');
    expect(key['x']).toBe(hash);
    // On P-256 (SEC 2, 2.4.2).
    const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
    const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
    const [x, y] = [number(key['x']), number(key['y'])];
    expect((y * y) % p).toBe((x ** 3n - 3n * x + b) % p);
  });

  it('is one that Envoy takes', () => expect(readKeySet(keysOfNobody)).toMatchObject({ problems: [], keys: [key] }));
});
