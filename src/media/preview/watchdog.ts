// A thread that ends the preview process when a file uses too much of it: a decoder leaves the main thread no time to
// look. It also ends the process when the server has died.
import { parentPort, workerData } from 'node:worker_threads';
import { SIGNALS } from './signal.ts';

/** What one drawing may use. */
export interface Bounds {
  /** Resident memory of the process. */
  memoryBytesMax: number;
  /** Time of the processor, in milliseconds: on a busy machine, the process gets little of it. */
  cpuMs: number;
}

/** Tells the thread that a drawing begins; null: that it has ended. */
export type WatchdogMessage = Bounds | null;

const INTERVAL_MS = 25;

let bounds: Bounds | null = null;
let startedAt = process.cpuUsage();

function check(): void {
  if (process.ppid !== workerData) endProcess('SIGKILL');
  if (bounds === null) return;
  const { user, system } = process.cpuUsage(startedAt);
  if (process.memoryUsage.rss() > bounds.memoryBytesMax) endProcess(SIGNALS.memory);
  if ((user + system) / 1000 > bounds.cpuMs) endProcess(SIGNALS.time);
}

/** Ends the whole process group, so that no program of a decoder stays behind. */
function endProcess(signal: NodeJS.Signals): void {
  try {
    process.kill(-process.pid, signal);
  } catch {
    // It leads no group.
    process.kill(process.pid, signal);
  }
}

parentPort?.on('message', (message: WatchdogMessage) => {
  bounds = message;
  startedAt = process.cpuUsage();
});
parentPort?.unref();
setInterval(check, INTERVAL_MS);
