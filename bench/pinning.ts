import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const TASKSET = 'taskset';

/** Which core runs the server: a load generator that moves between two cores costs the server a fifth. */
export interface Pinning {
  /** Comes before a server's command line. */
  serverPrefix: readonly string[];
  /** For the head of the report. */
  description: string;
}

/** Moves this process, which makes the load, to core 1 and reserves core 0 for one server at a time. */
export function pinLoad(): Pinning {
  if (availableParallelism() < 2) {
    return { serverPrefix: [], description: 'server and load share one core: figures are too low' };
  }
  const { status } = spawnSync(TASKSET, ['-acp', '1', String(process.pid)]);
  return status === 0
    ? { serverPrefix: [TASKSET, '-c', '0'], description: 'server on core 0, load on core 1' }
    : { serverPrefix: [], description: 'no taskset: server and load are not bound to cores' };
}
