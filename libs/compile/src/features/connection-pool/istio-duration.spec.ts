import { describe, expect, it } from '@jest/globals';
import { istioDuration, istioMilliseconds } from './istio-duration.js';

describe('istioMilliseconds', () => {
  it.each([
    ['10s', 10_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['8ms', 8],
    ['250us', 0.25],
    ['0s', 0],
    ['', 0],
    ['soon', 0],
  ])('%p is %p', (text, expected) => {
    expect(istioMilliseconds(text)).toBe(expected);
  });

  it('makes a protobuf duration', () => {
    expect(istioDuration('1.5s')).toMatchObject({ seconds: 1n, nanos: 500_000_000 });
  });
});
