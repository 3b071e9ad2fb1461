import { expect, it, vi } from 'vitest';
import { createReadiness, createReadinessOf } from '../../src/http/readiness.ts';

it('calls share one check, and none waits for a check that hangs', async () => {
  let checks = 0;
  let { promise: answer, resolve } = Promise.withResolvers<void>();
  const isReady = createReadiness(() => {
    checks++;
    return answer;
  }, 'database');
  const calls = await Promise.allSettled([isReady(5), isReady(5), isReady(5)]);
  expect([checks, calls.map(({ status }) => status)]).toEqual([1, Array(3).fill('rejected')]);
  resolve();
  await expect(isReady()).resolves.toBeUndefined();
  ({ promise: answer, resolve } = Promise.withResolvers<void>());
  const next = isReady();
  resolve();
  await expect(next).resolves.toBeUndefined();
  expect(checks).toBe(2);
});

it('a database that answers within a second counts as ready, and one that does not is found within a second', async () => {
  vi.useFakeTimers();
  try {
    const isReady = (ms: number) => createReadiness(() => sleep(ms), 'database')();
    const answers = Promise.allSettled([isReady(850), isReady(5000)]);
    await vi.advanceTimersByTimeAsync(1000);
    const slow = new Error('The check of the database took longer than 900 ms.');
    expect(await answers).toEqual([
      { status: 'fulfilled', value: undefined },
      { status: 'rejected', reason: slow },
    ]);
  } finally {
    vi.useRealTimers();
  }
});

it('a result counts that arrived while a statement kept the event loop busy past the limit', async () => {
  // Due after the limit, and before the event loop is free.
  const isReady = createReadiness(() => sleep(80), 'database');
  const ready = isReady(60);
  const freeAt = performance.now() + 100;
  while (performance.now() < freeAt);
  await expect(ready).resolves.toBeUndefined();
});

it('a check that fails is tried again by the next call', async () => {
  const results = [Promise.reject(new Error('no')), Promise.resolve()];
  const isReady = createReadiness(() => results.shift() ?? Promise.resolve(), 'database');
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
  const isReady = createReadinessOf({ database: () => database(), 'blob store': disk });
  for (let call = 0; call < 3; call++) await expect(isReady()).rejects.toThrow('no');
  expect(checks).toBe(1);
  database = () => Promise.resolve() as Promise<never>;
  await expect(isReady(5)).rejects.toThrow('The check of the blob store took longer than 5 ms.');
});

const sleep = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));
