import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { later } from './later.js';

const day = 86_400_000;
beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

it.each([1, 20, 45, 90])('runs after %d days, and not before', (days) => {
  const run = jest.fn();
  later(run, days * day);
  jest.advanceTimersByTime(days * day - 1);
  expect(run).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(run).toHaveBeenCalledTimes(1);
});

it('is called off, in its last stretch too', () => {
  const run = jest.fn();
  const callOff = later(run, 45 * day);
  jest.advanceTimersByTime(40 * day);
  callOff();
  jest.advanceTimersByTime(60 * day);
  expect(run).not.toHaveBeenCalled();
});
