import { describe, expect, it } from '@jest/globals';
import { Allowance } from './limits.js';

describe('Allowance', () => {
  it('allows a burst, then a rate, and never more than the burst', () => {
    let now = 0;
    const allowance = new Allowance(10, 100, () => now);
    const taken = () => {
      let count = 0;
      while (allowance.take()) count++;
      return count;
    };
    expect(taken()).toBe(10);
    now = 50;
    // The one that was refused has to be made good first.
    expect(taken()).toBe(4);
    now = 60_000;
    // One that was left over, then no more than the burst.
    expect(taken()).toBeLessThanOrEqual(11);
  });

  it('is given back for what was well used', () => {
    const allowance = new Allowance(2, 0, () => 0);
    for (let i = 0; i < 50; i++) {
      expect(allowance.take()).toBe(true);
      allowance.credit(1);
    }
    expect([allowance.take(), allowance.take(), allowance.take()]).toEqual([true, true, false]);
  });
});
