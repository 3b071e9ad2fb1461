import { expect, it } from 'vitest';
import { createReadiness, createReadinessOf } from '../../src/http/readiness.ts';

it('calls share one check, and none waits for a check that hangs', async () => {
  let checks = 0;
  let { promise: answer, resolve } = Promise.withResolvers<void>();
  const isReady = createReadiness(() => {
    checks++;
    return answer;
  }, 5);
  const calls = await Promise.allSettled([isReady(), isReady(), isReady()]);
  expect([checks, calls.map(({ status }) => status)]).toEqual([1, Array(3).fill('rejected')]);
  resolve();
  await expect(isReady()).resolves.toBeUndefined();
  ({ promise: answer, resolve } = Promise.withResolvers<void>());
  const next = isReady();
  resolve();
  await expect(next).resolves.toBeUndefined();
  expect(checks).toBe(2);
});

it('a check that fails is tried again by the next call', async () => {
  const results = [Promise.reject(new Error('no')), Promise.resolve()];
  const isReady = createReadiness(() => results.shift() ?? Promise.resolve());
  await expect(isReady()).rejects.toThrow('no');
  await expect(isReady()).resolves.toBeUndefined();
});

it('one check that fails does not start another one again that hangs, and the error names what is slow', async () => {
  let checks = 0;
  const disk = () => {
    checks++;
    return new Promise<void>(() => undefined);
  };
  let database = () => Promise.reject(new Error('no'));
  const isReady = createReadinessOf({ database: () => database(), 'blob store': disk }, 5);
  for (let call = 0; call < 3; call++) await expect(isReady()).rejects.toThrow('no');
  expect(checks).toBe(1);
  database = () => Promise.resolve() as Promise<never>;
  await expect(isReady()).rejects.toThrow('The check of the blob store took longer than 5 ms.');
});
