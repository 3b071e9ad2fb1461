import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

/** Returns a new name for the worker of a process, which no other one has. */
export function workerName(pid: number): string {
  return `${hostname()}/${pid}/${randomUUID().slice(0, 8)}`;
}
