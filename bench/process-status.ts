import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const SAMPLE_INTERVAL_MS = 20;
/** The kernel's unit in /proc, the same on every Linux. */
const TICK_MS = 10;

/** Returns the processor time of a process in milliseconds, in steps of 10 ms; NaN without /proc. */
export function cpuMsOf(pid: number): number {
  try {
    // proc(5): after the name in brackets, which may hold anything, utime and stime are the 12th and 13th.
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const [utime, stime] = fields.split(' ').slice(11, 13);
    return (Number(utime) + Number(stime)) * TICK_MS;
  } catch {
    return Number.NaN;
  }
}

/** Returns the processes that a process has started, and those that they have; none without /proc. */
export function descendantsOf(pid: number): number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
    );
    return children.map(Number).flatMap((child) => [child, ...descendantsOf(child)]);
  } catch {
    return [];
  }
}

/** Returns the resident bytes of a process. */
export function rssBytes(pid: number): number {
  return (
    statusBytes(pid, 'VmRSS') ?? Number(execFileSync('ps', ['-o', 'rss=', '-p', `${pid}`])) * 1024
  );
}

/**
 * Runs work and returns the highest RSS meanwhile: the highest of a sample every 20 ms and, where the kernel has
 * one, its high-water mark, which misses nothing while this process is busy.
 */
export async function peakRssBytes(pid: number, work: () => Promise<unknown>): Promise<number> {
  const hasMark = resetHighWaterMark(pid);
  let peak = rssBytes(pid);
  const timer = setInterval(() => {
    peak = Math.max(peak, rssBytes(pid));
  }, SAMPLE_INTERVAL_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.max(peak, rssBytes(pid), hasMark ? (statusBytes(pid, 'VmHWM') ?? 0) : 0);
}

/** proc(5): 5 sets the mark to what is resident now. */
function resetHighWaterMark(pid: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
    return true;
  } catch {
    return false;
  }
}

function statusBytes(pid: number, field: 'VmRSS' | 'VmHWM'): number | undefined {
  try {
    const kib = new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(
      readFileSync(`/proc/${pid}/status`, 'utf8'),
    )?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}
