import { expect, it } from 'vitest';
import { retryDelayMs } from '../../src/job/backoff.ts';

it('follows the documented curve, up to an hour', () => {
  const seconds = Array.from({ length: 9 }, (_, retries) => retryDelayMs(retries, 0.5) / 1000);
  expect(seconds).toEqual([5, 10, 40, 110, 320, 905, 2560, 3600, 3600]);
  expect(retryDelayMs(10_000, 0.5)).toBe(3_600_000);
});

it('varies by a fifth in both directions, up to an hour', () => {
  expect([0, 0.25, 1].map((random) => retryDelayMs(2, random))).toEqual([32_000, 36_000, 48_000]);
  expect(retryDelayMs(20, 1)).toBe(3_600_000);
  expect(retryDelayMs(20, 0)).toBe(2_880_000);
});

it('is at least as long as requested, up to an hour', () => {
  expect(retryDelayMs(0, 0.5, 30_000)).toBe(30_000);
  expect(retryDelayMs(3, 0.5, 30_000)).toBe(110_000);
  expect(retryDelayMs(0, 0.5, 1e12)).toBe(3_600_000);
});
