import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientRequest, Connection } from './connection.ts';

/** How long other requests waited, in milliseconds. */
export interface Waits {
  p50: number;
  p99: number;
  max: number;
  count: number;
}

export interface Neighbours {
  /** Returns the waits of all requests that were sent, or not yet answered, while `work` ran; and its result. */
  during: <T>(work: () => Promise<T>) => Promise<{ waits: number[]; result: T }>;
  stop: () => Promise<void>;
}

const PAUSE_MS = 4;

/** Sends each of the requests again and again, each on a connection of its own, a few milliseconds apart. */
export async function startNeighbours(
  url: string,
  requests: readonly ClientRequest[],
): Promise<Neighbours> {
  let isStopped = false;
  let waits: number[] = [];
  const round: Promise<void>[] = [];
  const loops = requests.map(async (request, index) => {
    let connection = await Connection.open(url);
    while (!isStopped) {
      const startedAt = performance.now();
      const answered = connection.request(request).then(({ status }) => {
        if (status !== 200) throw new Error(`${request.path}: ${status}`);
        waits.push(performance.now() - startedAt);
      });
      round[index] = answered;
      // A server closes a connection after some thousands of requests.
      await answered.catch(async (error: Error) => {
        if (!/closed/.test(error.message)) throw error;
        connection = await Connection.open(url);
      });
      await sleep(PAUSE_MS);
    }
    connection.close();
  });
  return {
    async during(work) {
      await Promise.allSettled(round);
      waits = [];
      const result = await work();
      await Promise.allSettled(round);
      return { waits, result };
    },
    async stop() {
      isStopped = true;
      await Promise.all(loops);
    },
  };
}

/** Returns the quantiles of waits. */
export function quantiles(waits: readonly number[]): Waits {
  const sorted = waits.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0, count: sorted.length };
}
