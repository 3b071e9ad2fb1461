import { DatabaseUnavailableError } from '../error.ts';

/** Statements that wait for a reader. */
export interface WaitingRoom<Place> {
  readonly size: number;
  /**
   * Waits for a place. Requests take turns, so that a request with many statements delays another one by only one
   * statement. Statements with the same signal belong to one request. Throws DatabaseUnavailableError after
   * `patienceMs`, when the signal aborts, and when the room closes.
   */
  wait(options: { patienceMs: number; signal: AbortSignal | undefined }): Promise<Place>;
  /** Gives the next one a place. */
  admit(place: Place): void;
  close(): void;
}

/** Creates an empty waiting room. */
export function createWaitingRoom<Place>(): WaitingRoom<Place> {
  const queues = new Map<AbortSignal | undefined, Set<PromiseWithResolvers<Place>>>();
  return {
    get size() {
      return queues.size;
    },
    async wait({ patienceMs, signal }) {
      const seat = Promise.withResolvers<Place>();
      const queue = queues.get(signal) ?? new Set();
      queues.set(signal, queue.add(seat));
      const leave = (error: DatabaseUnavailableError) => {
        queue.delete(seat);
        if (queue.size === 0 && queues.get(signal) === queue) queues.delete(signal);
        seat.reject(error);
      };
      const patience = setTimeout(() => leave(new DatabaseUnavailableError('timeout')), patienceMs);
      const cancel = () => leave(new DatabaseUnavailableError('cancelled'));
      signal?.addEventListener('abort', cancel);
      try {
        return await seat.promise;
      } finally {
        clearTimeout(patience);
        signal?.removeEventListener('abort', cancel);
      }
    },
    admit(place) {
      for (const [signal, queue] of queues) {
        queues.delete(signal);
        for (const seat of queue) {
          queue.delete(seat);
          if (queue.size > 0) queues.set(signal, queue);
          seat.resolve(place);
          return;
        }
      }
    },
    close() {
      for (const queue of queues.values()) {
        for (const { reject } of queue) reject(new DatabaseUnavailableError('connection'));
      }
      queues.clear();
    },
  };
}
