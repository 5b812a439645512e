import { expect, it } from '@jest/globals';
import { coarse, fine, windowsOf } from './levels.js';

const hour = 3_600_000;
const now = 100 * hour + 123_456;

it('reads fine windows of the last hour', () => {
  expect(windowsOf(now - 300_000, now, now - hour)).toEqual([{ level: fine, from: 100 * hour - 180_000, to: now }]);
});

it.each([2 * hour, 23 * hour])('covers every moment of the last %d ms exactly once', (since) => {
  const ranges = windowsOf(now - since, now, now - hour);
  expect(ranges.map(({ level }) => level)).toEqual([coarse, fine]);
  const [old, late] = ranges;
  expect(old!.to).toBe(late!.from);
  expect(late!.from % coarse.widthMs).toBe(0);
  expect(late!.from).toBeGreaterThanOrEqual(now - hour);
  expect(old!.from).toBeLessThanOrEqual(now - since);
});

it('reads coarse windows alone of a time that is long over', () => {
  expect(windowsOf(now - 5 * hour, now - 3 * hour, now - hour)).toEqual([
    { level: coarse, from: 95 * hour, to: now - 3 * hour },
  ]);
});
