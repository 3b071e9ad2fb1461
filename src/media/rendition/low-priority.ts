import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * On Linux, a process of this priority gets a tenth of a core that another one keeps busy: enough to make progress. At
 * 19, the lowest, it would be an eightieth, and a large image would take minutes.
 */
const PRIORITY = 10;

/** Lowers the priority of this process. On Linux each thread has its own, which the threads that it starts inherit. */
export function lowerPriority(): void {
  for (const thread of process.platform === 'linux' ? readdirSync('/proc/self/task') : [0]) {
    try {
      setPriority(Number(thread), PRIORITY);
    } catch {
      // A sandbox may forbid it, and the thread may have ended.
    }
  }
}

/** Ignores the signals that a terminal sends to the whole process group: the parent ends this process. */
export function ignoreSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
}
