/**
 * Mutual exclusion by key within one process: work under the same key runs one at a time, in order
 * of arrival; different keys do not wait for each other.
 */
export interface KeyedLock {
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
}

/** A lock of its own: two of them do not know of each other. */
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
        // Only the last in line removes the entry, so that the map never outgrows the work at hand.
        if (tails.get(key) === done) tails.delete(key);
        release();
      }
    },
  };
}
