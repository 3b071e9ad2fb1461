/**
 * Excludes concurrent work by key within one process: work with the same key runs one at a time, in order of arrival;
 * different keys do not wait for each other.
 */
export interface KeyedLock {
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
}

/** Creates a lock; two of them share nothing. */
export function createKeyedLock(): KeyedLock {
  const tails = new Map<string, Promise<void>>();
  return {
    async run(key, work) {
      const before = tails.get(key);
      const { promise: done, resolve: release } = Promise.withResolvers<void>();
      tails.set(key, done);
      await before;
      try {
        return await work();
      } finally {
        // The last waiter deletes the entry, so that the map holds no more keys than there is work.
        if (tails.get(key) === done) tails.delete(key);
        release();
      }
    },
  };
}
